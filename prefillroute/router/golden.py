"""Golden vectors: what a few queries' readings were and the confidences that the run gave them, checked on loading.

They detect a bundle whose files are intact but which computes something else here, because of another library, another
processor or a bug (DESIGN section 6). The texts of the queries serve `readings.live` to check the models themselves.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.calibration.contract import Calibrator, sigmoid
from prefillroute.errors import UserError
from prefillroute.predictors.contract import Predictor
from prefillroute.readings.contract import Readings
from prefillroute.readings.recorded import RecordedReadings, Recorder

TOLERANCE = 1e-5
NUM_ROWS = 8


@dataclass(frozen=True)
class GoldenVectors:
    """K queries: all that the predictor reads of them, and the run's `logits` z (K, M) and `confidence` (K, M).

    Both outputs are kept because isotonic and percentile calibration have steps, and rounding in z may cross a step
    without anything being wrong. So z is compared as a probability, and the calibrator is checked on the run's own z.
    """

    readings: RecordedReadings
    logits: np.ndarray
    confidence: np.ndarray

    @classmethod
    def take(
        cls, predictor: Predictor, readings: Readings, logits: np.ndarray, confidence: np.ndarray
    ) -> "GoldenVectors":
        """Let the predictor read a few queries, and keep what it asked for, with their texts.

        Args:
            predictor: trained.
            readings: K queries of the run; `NUM_ROWS` are plenty.
            logits: (K, M) the run's ensemble logits for them.
            confidence: (K, M) the run's confidences for them.
        """
        recorder = Recorder(readings)
        predictor.logits(recorder)
        recorder.column("prompt")
        return cls(recorder.kept, np.array(logits), np.array(confidence))

    def check(self, predictor: Predictor, calibrator: Calibrator, bundle: Path) -> None:
        """Predict the golden vectors again and compare.

        Raises:
            UserError: a probability is off by more than `TOLERANCE`.
        """
        logits = predictor.logits(self.readings)
        confidence = calibrator.transform(self.logits)
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
