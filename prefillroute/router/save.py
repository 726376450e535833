"""Writes a router bundle from the fitted parts of a run."""

import dataclasses
import math
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from prefillroute import __version__
from prefillroute.caches.identity import CacheIdentity
from prefillroute.calibration.contract import Calibrator
from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.heads.contract import Head
from prefillroute.layers.features import BlockTransform
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.router.bundle import write_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.load import load_parts
from prefillroute.router.manifest import EncoderEntry, Manifest, TargetEntry
from prefillroute.router.policies import policy_spec
from prefillroute.router.predictor import Predictor
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import store


def save_bundle(
    path: Path,
    *,
    transform: BlockTransform,
    head: Head,
    calibrator: Calibrator,
    cost: CostModel,
    targets: Sequence[TargetConfig],
    encoders: Sequence[tuple[EncoderConfig, CacheIdentity]],
    golden: GoldenVectors,
    policy: Policy,
    choice: LambdaChoice | None = None,
    correct_threshold: float,
    fingerprint: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> Path:
    """Write the bundle of a run, then read it back and check it.

    Args:
        path: folder, created or replaced as a whole.
        transform: scaler and PCA of the final fit.
        head: one group, the kept members (`FittedHead.final`).
        calibrator: the fitted calibrator.
        cost: the fitted cost model; its `cost_range_` becomes the bundle's.
        targets: in pool order, as in the confidence table.
        encoders: facts of each encoder and the identity of the cache that was read; the tokenizer of the first one
            counts the query's tokens for the cost estimate.
        golden: a few queries with the confidences that the run gave them.
        policy: the default policy.
        choice: the run's choice of lambda, for a policy that leaves lambda to the run.
        correct_threshold: the pool's threshold.
        fingerprint: what identifies the run; plain JSON values.
        metrics: headline metrics; NaN becomes null.

    Returns:
        `path`.

    Raises:
        UserError: the disk is full or not writable, or the golden vectors do not reproduce the run's values.
    """
    golden.check(Predictor(transform, head, calibrator), path)  # before anything is written
    head_spec, weights = store(head)
    medians = getattr(cost, "completion_tokens_", None)
    manifest = Manifest(
        encoders=tuple(EncoderEntry(facts, identity.to_attributes()) for facts, identity in encoders),
        blocks=transform.blocks,
        targets=tuple(
            TargetEntry(_plain_target(target), _finite(None if medians is None else float(medians[number])))
            for number, target in enumerate(targets)
        ),
        head=head_spec,
        calibration=calibrator.state(),
        cost=cost.state(),
        policy=policy_spec(policy, choice, [target.name for target in targets]),
        cost_range=cost.cost_range_,
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
    tensors = {
        **{f"transform.{name}": tensor for name, tensor in transform.state().items()},
        **{f"head.{name}": torch.from_numpy(array) for name, array in weights.items()},
        **{f"golden.{name}": tensor for name, tensor in golden.tensors().items()},
    }
    write_bundle(path, manifest, tensors)
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
