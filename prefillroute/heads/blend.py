"""Several predictors averaged: each calibrated by itself, then the mean of their confidence tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from prefillroute.errors import UserError

CLIP = 1e-6
"""Bound of the mean confidence, as that of an ensemble's."""


@dataclass(frozen=True)
class Blend:
    """What is averaged. The run trains the parts; its own `signal` is not read.

    Raises:
        UserError: fewer than two parts, or one without a signal or a head.
    """

    parts: Mapping[str, Mapping[str, Any]]
    """Name to `signal` and `head`, choice nodes both."""
    calibration: Mapping[str, Any]
    """Choice node; every part has its own calibrator, fitted where the run's is."""

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise UserError(f"head.parts has {len(self.parts)} predictors, want at least two")
        for name, part in self.parts.items():
            for group in ("signal", "head"):
                if group not in part:
                    raise UserError(
                        f"head.parts.{name} has no {group}; want a signal and a head for each part"
                    )


def blended_logit(confidences: list[np.ndarray]) -> np.ndarray:
    """Logit of the mean of confidence tables (N, M)."""
    mean = np.mean(confidences, axis=0).clip(CLIP, 1 - CLIP)
    return np.asarray(np.log(mean) - np.log1p(-mean))
