"""Reads the confidence table of a finished run from its folder and its pool's queries."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prefillroute.errors import UserError
from prefillroute.outcomes.files import QUERIES_FILE, outcome_folder
from prefillroute.routing.table import ConfidenceTable


def read_config(folder: Path) -> DictConfig:
    """The composed configuration of a run, with interpolations not yet resolved.

    Raises:
        UserError: the file is missing or is not a complete YAML file.
    """
    path = folder / ".hydra" / "config.yaml"
    try:
        # libyaml is used if available, because OmegaConf's own loader takes ten times as long
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        config = OmegaConf.create(yaml.load(path.read_text(encoding="utf-8"), Loader=loader))
    except (OSError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(
            f"{path}: expected the run's configuration, found {' '.join(str(error).split())}"
        ) from error
    if not isinstance(config, DictConfig):
        raise UserError(f"{path}: expected the run's configuration, found no mapping")
    return config


def read_confidence_table(folder: Path) -> ConfidenceTable:
    """The table that the run was evaluated on; evaluating it again gives the same numbers.

    Raises:
        UserError: predictions, configuration or the pool's queries are missing or damaged.
    """
    config = read_config(folder)
    try:
        queries = outcome_folder(config.pool.outcomes) / QUERIES_FILE
        threshold = float(config.pool.correct_threshold)
    except OmegaConfBaseException as error:
        raise UserError(f"{folder / '.hydra' / 'config.yaml'}: {str(error).splitlines()[0]}") from error
    benchmarks = _read(queries, ["query_id", "benchmark"])
    return ConfidenceTable.from_frame(_read(folder / "predictions.parquet"), benchmarks, threshold)


def read_predictions(folder: Path) -> ConfidenceTable:
    """A run's predictions without its pool's queries, which may not be available: all queries count as one benchmark.

    Only the baseline that knows each benchmark's best target is affected.

    Raises:
        UserError: predictions or configuration are missing or damaged.
    """
    config = read_config(folder)
    frame = _read(folder / "predictions.parquet")
    queries = pd.DataFrame({"query_id": frame["query_id"].unique(), "benchmark": "all"})
    return ConfidenceTable.from_frame(frame, queries, float(config.pool.correct_threshold))


def _read(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=columns)
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: expected this file to compute the run's numbers again, found no such file"
        ) from error
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: expected a whole Parquet file, found {reason}") from error
