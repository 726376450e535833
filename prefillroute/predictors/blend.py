"""Averages several predictors: each is calibrated separately, then their confidence tables are averaged."""

from collections.abc import Mapping, Sequence

import numpy as np

from prefillroute.calibration.contract import Calibrator
from prefillroute.errors import UserError
from prefillroute.heads.logits import CLIP
from prefillroute.predictors.contract import (
    Logits,
    Node,
    Prediction,
    Predictor,
    Recipe,
    Workshop,
)
from prefillroute.readings.contract import Readings
from prefillroute.spec import Stored


class CalibratedPredictor(Stored):
    """A predictor with a calibrator of its own.

    Args:
        predictor: a trained predictor.
        calibrator: a calibrator fitted on its logits.
    """

    def __init__(self, predictor: Predictor, calibrator: Calibrator) -> None:
        self.predictor, self.calibrator = predictor, calibrator

    def confidence(self, readings: Readings) -> np.ndarray:
        """Confidences (N, M) float64."""
        return self.calibrator.transform(self.predictor.logits(readings))


class BlendPredictor(Predictor):
    """Predicts the logit of the parts' mean confidence.

    Args:
        parts: the calibrated predictors by name.
    """

    def __init__(self, parts: Mapping[str, CalibratedPredictor]) -> None:
        self.parts = dict(parts)

    def logits(self, readings: Readings) -> np.ndarray:
        """See `Predictor.logits`."""
        return blended_logit([part.confidence(readings) for part in self.parts.values()])


class Blend(Recipe):
    """Trains the parts, calibrates each and averages them.

    Args:
        parts: the `signal` and `head` of each part by its name; both are choice nodes.
        calibration: choice node; every part has its own calibrator, fitted on the same rows as the run's calibrator.

    Raises:
        UserError: there are fewer than two parts, or one lacks a signal or a head.
    """

    def __init__(self, parts: Mapping[str, Mapping[str, Node]], calibration: Node) -> None:
        if len(parts) < 2:
            raise UserError(f"predictor.parts: expected at least two predictors, found {len(parts)}")
        for name, part in parts.items():
            for group in ("signal", "head"):
                if group not in part:
                    raise UserError(
                        f"predictor.parts.{name}: expected a signal and a head for each part, found no {group}"
                    )
        self.parts, self.calibration = parts, calibration

    def train(self, workshop: Workshop) -> Prediction:
        """See `Recipe.train`."""
        predictions = [workshop.predict(part["signal"], part["head"]) for part in self.parts.values()]
        calibrated = [workshop.calibrated(self.calibration, each.logits) for each in predictions]
        own = blended_logit([confidence for _, confidence, _ in calibrated])
        test = blended_logit([confidence for _, _, confidence in calibrated])
        out_of_fold = predictions[0].logits.out_of_fold is not None
        # Without folds, the rows of the calibration part are predicted by the final fit, like the test rows.
        logits = Logits(own, test) if out_of_fold else Logits(None, np.concatenate([own, test]))
        trained = {
            name: CalibratedPredictor(prediction.predictor, calibrator)
            for name, prediction, (calibrator, _, _) in zip(self.parts, predictions, calibrated, strict=True)
        }
        seconds = {
            stage: sum(prediction.seconds.get(stage, 0.0) for prediction in predictions)
            for stage in ("features", "head")
        }
        fits = sum(prediction.fits for prediction in predictions)
        works = [prediction.work for prediction in predictions]
        work = None if None in works else sum(filter(None, works))
        return Prediction(logits, BlendPredictor(trained), None, seconds, fits, work)


def blended_logit(confidences: Sequence[np.ndarray]) -> np.ndarray:
    """Logit of the mean of confidence tables (N, M).

    Example:
        >>> blended_logit([np.array([[0.25]]), np.array([[0.75]])])
        array([[0.]])
    """
    mean = np.mean(confidences, axis=0).clip(CLIP, 1 - CLIP)
    return np.asarray(np.log(mean) - np.log1p(-mean))
