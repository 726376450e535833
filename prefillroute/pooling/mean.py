"""The mean over all real tokens (DESIGN section 1)."""

import torch
from torch import Tensor


class MeanPooling:
    """Average of the residual stream over the real tokens, template included, summed in float32."""

    name = "mean"

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Average each row's real tokens; what stands at padding has no weight.

        Args:
            hidden: (B, T, H) of any float dtype.
            mask: (B, T) bool, true at real tokens; at least one in each row.

        Returns:
            (B, H) float32.
        """
        weights = mask.float() / mask.sum(dim=1, keepdim=True)
        # As a product of (1, T) and (T, H) per row: no (B, T, H) temporary.
        return torch.bmm(weights[:, None, :], hidden.float())[:, 0]
