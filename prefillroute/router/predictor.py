"""Pooled activations to calibrated confidences: a bundle's arithmetic, without encoder, cost or policy."""

from collections.abc import Sequence

import numpy as np
import torch

from prefillroute.calibration.contract import Calibrator
from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.layers.features import BlockTransform

# N = queries, M = targets, H = width of a block's layers side by side


class Predictor:
    """Scaler and PCA (one affine map per block), kept members, calibration.

    Args:
        transform: of the final fit.
        head: one group, the kept members.
        calibrator: fitted.

    Raises:
        UserError: the parts do not fit together.
    """

    def __init__(self, transform: BlockTransform, head: Head, calibrator: Calibrator) -> None:
        if head.num_groups != 1 or head.in_features != transform.num_features:
            raise UserError(
                f"router bundle: the head reads {head.in_features} features in {head.num_groups} groups, "
                f"wanted the {transform.num_features} of the blocks in one group"
            )
        self.blocks = transform.blocks
        self.head = head.eval()
        self._means, self._weights = transform.means, transform.weights
        self.calibrator = calibrator

    def __call__(self, activations: Sequence[np.ndarray]) -> np.ndarray:
        """Confidences (N, M) float64 of N queries; see `logits`."""
        return self.calibrator.transform(self.logits(activations))

    @torch.inference_mode()
    def logits(self, activations: Sequence[np.ndarray]) -> np.ndarray:
        """Ensemble logits z (N, M) of N queries, before calibration.

        Args:
            activations: per block (N, H), in the order of `blocks`.

        Raises:
            UserError: an activation is of another shape, or not finite.
        """
        if len(activations) != len(self.blocks):
            raise UserError(f"got activations of {len(activations)} blocks, wanted {len(self.blocks)}")
        parts = []
        for block, given, mean, weight in zip(
            self.blocks, activations, self._means, self._weights, strict=True
        ):
            x = torch.from_numpy(np.asarray(given, dtype=np.float32))
            if x.ndim != 2 or x.shape[1] != len(mean):
                raise UserError(
                    f"block {block.name}: activations of shape {tuple(x.shape)}, wanted (N, {len(mean)})"
                )
            parts.append((x - mean) @ weight)
        features = torch.cat(parts, dim=1)  # (N, D)
        if not bool(torch.isfinite(features).all()):
            row = int((~torch.isfinite(features)).any(dim=1).nonzero()[0])
            raise UserError(f"activations of query {row} hold NaN or infinity, wanted finite numbers")
        return ensemble_logits(self.head, features[None])[0].numpy()
