"""The data that every predictor of a run is trained and measured on: outcomes, split, groups."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import PoolConfig, TargetConfig
from prefillroute.outcomes.evaluation_only import refuse_training
from prefillroute.outcomes.files import outcome_folder
from prefillroute.outcomes.pool import load_pool
from prefillroute.outcomes.splits import Split
from prefillroute.outcomes.table import Outcomes
from prefillroute.training.groups import Groups, make_groups
from prefillroute.training.shared import key_of, stamp

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunData:
    """A pool's outcomes, divided into parts."""

    pool: PoolConfig
    targets: list[TargetConfig]
    outcomes: Outcomes
    split: Split
    groups: Groups
    predict_rows: np.ndarray
    """Calibration and test rows of the outcome table, which are only predicted."""
    key: str
    """A key of everything that determines the fields above, for `training.shared`."""


def data_key(config: DictConfig) -> str:
    """A key of everything that `load_data` depends on, including size and modification time of the outcome files."""
    folder = outcome_folder(fact(config.pool, PoolConfig).outcomes)
    stamps = [stamp(Path(folder) / name) for name in ("queries.parquet", "outcomes.parquet")]
    return key_of(config.pool, config.split, config.num_folds, config.validation_size, config.seed, stamps)


def load_data(config: DictConfig) -> RunData:
    """Read the pool's outcomes and divide them.

    Raises:
        UserError: something is missing or wrong in the outcomes, or the split trains on queries for evaluation only.
    """
    pool = fact(config.pool, PoolConfig)
    targets, outcomes = load_pool(
        pool.targets, pool.outcomes, pool.exclude, pool.correct_threshold, pool.max_queries, pool.import_hint
    )
    split = build(config.split, seed=config.seed).split(outcomes)
    refuse_training(outcomes.queries, np.concatenate([split.train, split.calibration]))
    groups = make_groups(outcomes, split, config.num_folds, config.validation_size, config.seed)
    return RunData(
        pool,
        targets,
        outcomes,
        split,
        groups,
        np.concatenate([split.calibration, split.test]),
        data_key(config),
    )
