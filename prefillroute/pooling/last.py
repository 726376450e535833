"""The last real token's hidden state (DESIGN section 1)."""

import torch
from torch import Tensor

from prefillroute.pooling.contract import Pooling


class LastPooling(Pooling):
    """Takes the residual stream at the last real token: what the model knows when it is about to answer.

    Example:
        >>> hidden, mask = torch.tensor([[[1.0], [2.0], [9.0]]]), torch.tensor([[True, True, False]])
        >>> LastPooling()(hidden, mask)
        tensor([[2.]])
    """

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pick each row's last real token: (B, H) float32, see `Pooling`."""
        length = mask.shape[1]
        last = length - 1 - mask.flip(1).to(torch.uint8).argmax(dim=1)  # argmax returns the first maximum
        return hidden[torch.arange(len(hidden), device=hidden.device), last].float()
