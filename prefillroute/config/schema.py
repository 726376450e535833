"""The form of a composed run: typed facts, open choices (STYLE section 5.2).

The form is attached once, at the root of ``conf/config.yaml``, ``conf/extract.yaml`` and ``conf/pool.yaml``, so that
a fact file needs no header and a misspelt key in it fails when Hydra composes.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from prefillroute.config.facts import EncoderConfig, PathsConfig, PoolConfig


@dataclass
class EvaluationConfig:
    """How the metrics of a run are computed (DESIGN section 5)."""

    num_resamples: int = 1000
    """Bootstrap resamples over test queries; 0 leaves the intervals out."""
    grid_size: int = 101
    """Points of the uniform lambda grid that `efficacy` averages over."""


@dataclass
class RunConfig:
    """`python train.py`: from outcomes to a report and a router bundle."""

    encoder: EncoderConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    signal: dict[str, Any] = MISSING
    pooling: dict[str, Any] = MISSING
    layers: dict[str, Any] = MISSING
    split: dict[str, Any] = MISSING
    cost: dict[str, Any] = MISSING
    head: dict[str, Any] = MISSING
    calibration: dict[str, Any] = MISSING
    policy: dict[str, Any] = MISSING
    trainer: dict[str, Any] = MISSING
    logger: dict[str, Any] = MISSING
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    num_folds: int = 5
    """Out-of-fold groups; not used when the split has a calibration part."""
    validation_size: float = 0.1
    """Share of each group's training rows that early stopping and the best members are judged on."""
    nested_layers: bool = False
    """Choose layers anew inside each fold, on its training rows only: shows how much one choice for all folds
    flatters the out-of-fold AUC. Costs as many layer choices as folds and leaves no router bundle."""
    seed: int = 0
    threads: int | None = None
    """CPU threads for torch; null leaves torch's choice."""


@dataclass
class ExtractConfig:
    """`prefillroute extract`: an encoder over the queries of a pool."""

    encoder: EncoderConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    extraction: dict[str, Any] = MISSING


@dataclass
class PoolShowConfig:
    """`prefillroute pool show`: a pool and its outcomes."""

    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING


def register_schemas() -> None:
    """Make the forms known to Hydra under the names that the root YAML files extend. Idempotent."""
    store = ConfigStore.instance()
    store.store(name="run_schema", node=RunConfig)
    store.store(name="extract_schema", node=ExtractConfig)
    store.store(name="pool_schema", node=PoolShowConfig)
