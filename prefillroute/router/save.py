"""Writes a router bundle from the fitted parts of a run."""

import dataclasses
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from prefillroute import __version__
from prefillroute.caches.identity import CacheIdentity
from prefillroute.calibration.contract import Calibrator
from prefillroute.config.facts import TargetConfig
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.predictors.contract import Predictor
from prefillroute.readings.contract import Reading, token_counter
from prefillroute.readings.live import ModelEntry
from prefillroute.router.bundle import write_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.load import golden_arrays, load_parts
from prefillroute.router.manifest import Manifest, TargetEntry
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import store


def save_bundle(
    path: Path,
    *,
    predictor: Predictor,
    calibrator: Calibrator,
    cost: CostModel,
    policy: Policy,
    single: str | None = None,
    targets: Sequence[TargetConfig],
    models: Callable[[Reading], tuple[Any, CacheIdentity]],
    golden: GoldenVectors,
    correct_threshold: float,
    fingerprint: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> Path:
    """Write the bundle of a run, then read it back and check it.

    Args:
        path: folder, created or replaced as a whole.
        predictor: trained.
        calibrator: the fitted calibrator.
        cost: the fitted cost model.
        policy: the default policy.
        single: a target that takes every query before the policy is consulted.
        targets: in pool order, as in the confidence table.
        models: a reading's facts, and the identity of the cache that was read.
        golden: a few queries with the confidences that the run gave them; what the predictor read of them says which
            models the bundle needs. The tokenizer of the first encoder counts tokens for the cost estimate.
        correct_threshold: the pool's threshold.
        fingerprint: what identifies the run; plain JSON values.
        metrics: headline metrics; NaN becomes null.

    Returns:
        `path`.

    Raises:
        UserError: the disk is full or not writable, or the golden vectors do not reproduce the run's values.
    """
    golden.check(predictor, calibrator, path)  # before anything is written
    parts = {"predictor": predictor, "calibration": calibrator, "cost": cost, "policy": policy}
    stored = {name: store(part, name) for name, part in parts.items()}
    medians = cost.median_completion_tokens
    read = golden.readings.cells
    manifest = Manifest(
        models=tuple(ModelEntry(each, *models(each), tuple(sorted(cells))) for each, cells in read.items()),
        counter=token_counter(list(read)),
        columns={name: column.tolist() for name, column in golden.readings.columns.items()},
        targets=tuple(
            TargetEntry(_plain_target(target), _finite(None if medians is None else float(medians[number])))
            for number, target in enumerate(targets)
        ),
        **{name: spec for name, (spec, _) in stored.items()},
        single=single,
        correct_threshold=correct_threshold,
        fingerprint=_finite(dict(fingerprint)),
        metrics=_finite(dict(metrics)),
        weights_bytes=0,
        weights_sha256="",
        written_by=", ".join(
            (
                f"prefillroute {__version__}",
                f"torch {torch.__version__}",
                f"python {platform.python_version()}",
            )
        ),
    )
    arrays = golden_arrays(golden)
    for _, own in stored.values():
        arrays |= own
    write_bundle(path, manifest, arrays)
    load_parts(path)
    return path


def _plain_target(target: TargetConfig) -> TargetConfig:
    """The same facts without NaN, which JSON cannot express."""
    return TargetConfig(**_finite(dataclasses.asdict(target)))


def _finite(value: Any) -> Any:
    """`value` with NaN and infinity replaced by None at every level."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
