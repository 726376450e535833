"""Turns pooled activations into calibrated confidences: a bundle's arithmetic without encoder, cost or policy."""

from collections.abc import Sequence

import numpy as np
import torch

from prefillroute.calibration.contract import Calibrator
from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.layers.features import BlockTransform
from prefillroute.router.single_query import SingleQuery

# N = queries, M = targets, H = width of a block's layers side by side


class Predictor:
    """Scaler and PCA (one affine map per block), the kept members, and calibration.

    Args:
        transform: scaler and PCA of the final fit.
        head: one group, the kept members.
        calibrator: a fitted calibrator.

    Raises:
        UserError: the parts do not fit together.
    """

    def __init__(self, transform: BlockTransform, head: Head, calibrator: Calibrator) -> None:
        if head.num_groups != 1 or head.in_features != transform.num_features:
            raise UserError(
                f"router bundle: head: expected the {transform.num_features} features of the blocks in one group, "
                f"found {head.in_features} features in {head.num_groups} groups"
            )
        self.blocks = transform.blocks
        self.head = head.eval()
        self._means, self._weights = transform.means, transform.weights
        self.calibrator = calibrator
        self._single = SingleQuery.of(transform, self.head)

    def __call__(self, activations: Sequence[np.ndarray]) -> np.ndarray:
        """Confidences (N, M) float64 of N queries; see `logits`."""
        return self.calibrator.transform(self.logits(activations))

    @torch.inference_mode()
    def logits(self, activations: Sequence[np.ndarray]) -> np.ndarray:
        """Ensemble logits z (N, M) of N queries, before calibration.

        Args:
            activations: one (N, H) array per block, in the order of `blocks`.

        Raises:
            UserError: an array has the wrong shape or holds a value that is not finite.
        """
        checked = self._checked(activations)
        if self._single is not None and len(checked[0]) == 1:
            return self._single.logits(checked)
        pairs = zip(checked, self._means, self._weights, strict=True)
        features = torch.cat([(torch.from_numpy(x) - mean) @ weight for x, mean, weight in pairs], dim=1)
        return ensemble_logits(self.head, features[None])[0].numpy()

    def _checked(self, activations: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The activations as float32, checked: finite, as wide as their blocks, equally many queries in each."""
        if len(activations) != len(self.blocks):
            raise UserError(f"activations: expected {len(self.blocks)} blocks, found {len(activations)}")
        arrays = [np.asarray(given, dtype=np.float32) for given in activations]
        for block, array, mean in zip(self.blocks, arrays, self._means, strict=True):
            if array.ndim != 2 or array.shape != (len(arrays[0]), len(mean)):
                raise UserError(
                    f"block {block.name}: expected activations of shape (N, {len(mean)}), found {array.shape}"
                )
            if not np.isfinite(array).all():
                row = int((~np.isfinite(array)).any(axis=1).argmax())
                raise UserError(
                    f"block {block.name}: activations of query {row}: expected finite numbers, found NaN or infinity"
                )
        return arrays
