"""Averages several predictors: each is calibrated separately, then their confidence tables are averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from prefillroute.errors import UserError

CLIP = 1e-6
"""Bound of the mean confidence, the same as that of an ensemble."""


@dataclass(frozen=True)
class Blend:
    """The predictors to average. The run trains the parts and does not read its own `signal`.

    Raises:
        UserError: there are fewer than two parts, or one lacks a signal or a head.
    """

    parts: Mapping[str, Mapping[str, Any]]
    """Maps each name to its `signal` and `head`, which are both choice nodes."""
    calibration: Mapping[str, Any]
    """Choice node; every part has its own calibrator, fitted on the same rows as the run's."""

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise UserError(f"head.parts: expected at least two predictors, found {len(self.parts)}")
        for name, part in self.parts.items():
            for group in ("signal", "head"):
                if group not in part:
                    raise UserError(
                        f"head.parts.{name}: expected a signal and a head for each part, found no {group}"
                    )


def blended_logit(confidences: list[np.ndarray]) -> np.ndarray:
    """Logit of the mean of confidence tables (N, M).

    Example:
        >>> blended_logit([np.array([[0.25]]), np.array([[0.75]])])
        array([[0.]])
    """
    mean = np.mean(confidences, axis=0).clip(CLIP, 1 - CLIP)
    return np.asarray(np.log(mean) - np.log1p(-mean))
