"""The mean over all real tokens (DESIGN section 1)."""

import torch
from torch import Tensor

from prefillroute.pooling.contract import Pooling


class MeanPooling(Pooling):
    """Averages the residual stream over the real tokens, including the template's, in float32.

    Example:
        >>> hidden, mask = torch.tensor([[[1.0], [2.0], [9.0]]]), torch.tensor([[True, True, False]])
        >>> MeanPooling()(hidden, mask)
        tensor([[1.5000]])
    """

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Average each row's real tokens, padding without weight: (B, H) float32, see `Pooling`."""
        weights = mask.float() / mask.sum(dim=1, keepdim=True)
        # A product of (1, T) and (T, H) per row avoids a (B, T, H) temporary.
        return torch.bmm(weights[:, None, :], hidden.float())[:, 0]
