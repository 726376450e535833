"""Golden vectors: a few activations and the confidences that the run gave them, checked whenever a bundle is loaded.

They detect a bundle whose files are intact but which computes something else here, because of another library, another
processor or a bug (DESIGN section 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from prefillroute.calibration.contract import sigmoid
from prefillroute.errors import UserError
from prefillroute.layers.choice import Block
from prefillroute.layers.features import Sources, read_block
from prefillroute.router.predictor import Predictor

TOLERANCE = 1e-5
NUM_ROWS = 8


@dataclass(frozen=True)
class GoldenVectors:
    """K queries: `activations` (K, H) float32 per block, and the run's `logits` z (K, M) and `confidence` (K, M).

    Both outputs are kept because isotonic and percentile calibration have steps, and rounding in z may cross a step
    without anything being wrong. So z is compared as a probability, and the calibrator is checked on the run's own z.
    """

    activations: tuple[np.ndarray, ...]
    logits: np.ndarray
    confidence: np.ndarray

    @classmethod
    def take(
        cls,
        sources: Sources,
        blocks: Sequence[Block],
        rows: np.ndarray,
        logits: np.ndarray,
        confidence: np.ndarray,
    ) -> "GoldenVectors":
        """Take golden vectors from cached activations.

        Args:
            sources: what the run read.
            blocks: the run's feature blocks.
            rows: (K,) row numbers in the sources; `NUM_ROWS` rows are plenty.
            logits: (K, M) the run's ensemble logits for those rows.
            confidence: (K, M) the run's confidences for those rows.
        """
        return cls(tuple(read_block(sources, block)[rows] for block in blocks), logits, confidence)

    def tensors(self) -> dict[str, Tensor]:
        """Tensors for safetensors: ``activations.<block>``, ``logits`` and ``confidence`` (both float64)."""
        named = {
            f"activations.{number}": torch.from_numpy(np.array(array, dtype=np.float32))
            for number, array in enumerate(self.activations)
        }
        named["logits"] = torch.from_numpy(np.array(self.logits, dtype=np.float64))
        named["confidence"] = torch.from_numpy(np.array(self.confidence, dtype=np.float64))
        return named

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "GoldenVectors":
        """Inverse of `tensors`."""
        count = sum(name.startswith("activations.") for name in tensors)
        activations = tuple(tensors[f"activations.{number}"].numpy() for number in range(count))
        return cls(activations, tensors["logits"].numpy(), tensors["confidence"].numpy())

    def check(self, predictor: Predictor, bundle: Path) -> None:
        """Predict the golden vectors again and compare.

        Raises:
            UserError: a probability is off by more than `TOLERANCE`.
        """
        logits = predictor.logits(self.activations)
        confidence = predictor.calibrator.transform(self.logits)
        if logits.shape != self.logits.shape or confidence.shape != self.confidence.shape:
            raise UserError(
                f"{bundle}: golden vectors: expected outputs of shape {self.logits.shape}, found {logits.shape}; "
                "train again"
            )
        worst = max(
            float(np.abs(sigmoid(logits) - sigmoid(self.logits)).max()),
            float(np.abs(confidence - self.confidence).max()),
        )
        if not worst <= TOLERANCE:  # NaN is refused too
            raise UserError(
                f"{bundle}: golden vectors: expected probabilities off by at most {TOLERANCE:.0e}, found {worst:.1e}; "
                "train again, or use the library versions that wrote the bundle"
            )
