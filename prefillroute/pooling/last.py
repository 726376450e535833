"""The last real token's hidden state (DESIGN section 1)."""

import torch
from torch import Tensor


class LastPooling:
    """What the model knows when it is about to answer: the residual stream at the last real token."""

    name = "last"

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pick each row's last real token, wherever the padding is.

        Args:
            hidden: (B, T, H) of any float dtype.
            mask: (B, T) bool, true at real tokens; at least one in each row.

        Returns:
            (B, H) float32.
        """
        length = mask.shape[1]
        last = length - 1 - mask.flip(1).to(torch.uint8).argmax(dim=1)  # argmax finds the first of equals
        return hidden[torch.arange(len(hidden), device=hidden.device), last].float()
