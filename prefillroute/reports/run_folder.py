"""The report's only source: one run folder, read and checked file by file (DESIGN section 6)."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from prefillroute.errors import UserError
from prefillroute.routing.table import ROUTER_COST
from prefillroute.text import hints

PREDICTIONS_FILE, CURVE_FILE, LAYERS_FILE = "predictions.parquet", "curve.parquet", "layers.parquet"
PREDICTION_COLUMNS = ("query_id", "target", "split", "confidence", "cost_usd", "correct")
CURVE_COLUMNS = ("lambda_low", "lambda", "lambda_high", "cost_usd", "accuracy", "x", "y")
LAYER_COLUMNS = ("encoder", "layer", "pooling", "dim", "target", "auc", "fisher_j")


@dataclass(frozen=True)
class TestPart:
    """The test rows as arrays: N queries x M targets, in the order of the pool."""

    query_id: np.ndarray
    """(N,) str: the ids of the queries."""
    confidence: np.ndarray
    """(N, M) in [0, 1]: the confidences."""
    cost_usd: np.ndarray
    """(N, M) estimated USD per query."""
    correct: np.ndarray
    """(N, M) outcomes in [0, 1]; NaN where the outcome is missing."""
    router_cost_usd: np.ndarray
    """(N,) USD of reading a query; 0 where nothing is counted."""

    @property
    def complete(self) -> np.ndarray:
        """(N,) bool: queries that have every target's outcome, on which global metrics are based (DESIGN section 4)."""
        return ~np.isnan(self.correct).any(axis=1)


@dataclass(frozen=True)
class RunFolder:
    """The files of one finished run."""

    path: Path
    metrics: dict[str, Any]
    predictions: pd.DataFrame
    curve: pd.DataFrame
    layers: pd.DataFrame | None
    """None for predictors that choose no layer."""
    config_text: str
    """The text of ``.hydra/config.yaml``."""
    config: dict[str, Any]
    hydra: dict[str, Any]
    """What ``.hydra/hydra.yaml`` has under its key ``hydra``; empty if the run was not started by Hydra."""
    bundle: dict[str, Any]
    """The content of ``router/router.json``; empty if the run wrote no bundle."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets in the order of the pool."""
        return tuple(self.metrics["targets"])

    @cached_property
    def test(self) -> TestPart:
        """The rows of the test part.

        Raises:
            UserError: there are no test rows, or a (query, target) pair is missing or duplicated.
        """
        rows = self.predictions[self.predictions["split"] == "test"]
        return _test_part(rows, self.targets, self.path / PREDICTIONS_FILE)

    @property
    def choices(self) -> dict[str, str]:
        """Hydra's chosen option of every config group, e.g. ``{"encoder": "smollm2_135m"}``."""
        chosen = self.hydra.get("runtime", {}).get("choices", {})
        return {
            group: str(option)
            for group, option in chosen.items()
            if option and not group.startswith("hydra/")
        }

    @property
    def overrides(self) -> list[str]:
        """What the user changed on the command line, one ``key=value`` each."""
        return [str(item) for item in self.hydra.get("overrides", {}).get("task", [])]

    @property
    def command(self) -> str:
        """The command that repeats this run; for a job of a sweep, it repeats that job alone."""
        return hints.command("prefillroute", "train", *self.overrides)

    def choice(self, group: str) -> str | None:
        """The chosen option of ``group`` from Hydra's record, or else from the name or class in the composed config."""
        if group in self.choices:
            return self.choices[group]
        node = self.config.get(group)
        if isinstance(node, dict):
            found = node.get("name") or str(node.get("_target_", "")).rpartition(".")[2]
            return found or None
        return None if node is None else str(node)


def read_run_folder(path: Path) -> RunFolder:
    """Read and check a run folder.

    Raises:
        UserError: the folder or one of its files is missing or truncated, or lacks a column or a key, which
            the message names.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(
            f"{path}: expected a run folder written by `prefillroute train`, found no such folder"
        )
    config_path = path / ".hydra" / "config.yaml"
    hydra_path = path / ".hydra" / "hydra.yaml"
    bundle_path = path / "router" / "router.json"
    return RunFolder(
        path=path,
        metrics=read_metrics(path),
        predictions=_read_parquet(path / PREDICTIONS_FILE, PREDICTION_COLUMNS),
        curve=read_curve(path),
        layers=read_layers(path),
        config_text=_read_text(config_path),
        config=_read_yaml(config_path),
        hydra=_read_yaml(hydra_path).get("hydra", {}) if hydra_path.exists() else {},
        bundle=_read_json(bundle_path) if bundle_path.exists() else {},
    )


def _test_part(rows: pd.DataFrame, targets: tuple[str, ...], path: Path) -> TestPart:
    """The test rows as arrays.

    Args:
        rows: the rows of one split, with the columns of predictions.parquet.
        targets: in the order of the pool.
        path: the file that they come from, for messages.
    """
    if rows.empty:
        raise UserError(f"{path}: expected at least one query with split 'test', found none")
    position = {name: i for i, name in enumerate(targets)}
    column = rows["target"].map(position)
    if column.isna().any():
        stranger = rows.loc[column.isna(), "target"].iloc[0]
        raise UserError(f"{path}: target: expected one of {targets} as in metrics.json, found {stranger!r}")
    row, query_id = pd.factorize(rows["query_id"])
    shape = (len(query_id), len(position))
    if len(rows) != shape[0] * shape[1] or rows.duplicated(["query_id", "target"]).any():
        raise UserError(
            f"{path}: expected exactly one row for each pair of query and target, found {len(rows)} test rows for "
            f"{shape[0]} queries x {shape[1]} targets"
        )
    filled = {}
    for name in ("confidence", "cost_usd", "correct"):
        filled[name] = np.full(shape, np.nan)
        filled[name][row, column.to_numpy(dtype=int)] = rows[name].to_numpy(dtype=float, na_value=np.nan)
    for name in ("confidence", "cost_usd"):
        if not np.isfinite(filled[name]).all():
            index = int(np.argwhere(~np.isfinite(filled[name]))[0, 0])
            raise UserError(
                f"{path}: {name} of query {query_id[index]!r}: expected a finite number, found none"
            )
    read = np.zeros(shape[0])
    if ROUTER_COST in rows.columns:
        read[row] = rows[ROUTER_COST].to_numpy(dtype=float)
    return TestPart(query_id=np.asarray(query_id), **filled, router_cost_usd=read)


def read_test_part(folder: Path, targets: tuple[str, ...]) -> TestPart:
    """Read only the test rows of predictions.parquet, a fraction of the file.

    Raises:
        UserError: as `RunFolder.test`, or the file is missing or truncated, or lacks a column.
    """
    path = folder / PREDICTIONS_FILE
    return _test_part(_read_parquet(path, PREDICTION_COLUMNS, [("split", "==", "test")]), targets, path)


def read_curve(folder: Path) -> pd.DataFrame:
    """Read curve.parquet.

    Raises:
        UserError: the file is missing or truncated, or lacks a column.
    """
    return _read_parquet(folder / CURVE_FILE, CURVE_COLUMNS)


def read_layers(folder: Path) -> pd.DataFrame | None:
    """Read layers.parquet; None where there is no such file, because the predictor chooses no layer.

    Raises:
        UserError: the file is truncated, or lacks a column.
    """
    path = folder / LAYERS_FILE
    return _read_parquet(path, LAYER_COLUMNS) if path.exists() else None


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read metrics.json of a run folder.

    Raises:
        UserError: the file is missing or truncated, or has no section ``test`` or ``targets``.
    """
    path = folder / "metrics.json"
    metrics = _read_json(path)
    for key in ("test", "targets"):
        if not isinstance(metrics.get(key), dict) or not metrics[key]:
            raise UserError(f"{path}: expected the metrics of a finished run, found no section {key!r}")
    return metrics


def cost_range_of(folder: Path, metrics: dict[str, Any]) -> tuple[float, float]:
    """(c_lo, c_hi) in USD per query, over training queries and targets.

    Raises:
        UserError: metrics.json has no such pair of numbers.
    """
    found = metrics.get("cost_range")
    if (
        not isinstance(found, list)
        or len(found) != 2
        or not all(isinstance(end, int | float) for end in found)
    ):
        raise UserError(
            f"{folder / 'metrics.json'}: cost_range: expected two numbers [c_lo, c_hi], found {found!r}"
        )
    return float(found[0]), float(found[1])


def has_metrics(folder: Path) -> bool:
    """Whether a folder has a metrics.json that `read_metrics` can read."""
    try:
        read_metrics(folder)
    except UserError:
        return False
    return True


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise UserError(
            f"{path}: expected this file in the run folder, found no such file; did the run finish?"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: expected UTF-8 text, found other bytes at position {error.start}"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: expected a complete JSON file, found {error}; was it cut off?") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object, found a {type(value).__name__}")
    return value


def _read_yaml(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{path}: expected a complete YAML file, found {problem}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a mapping, found a {type(value).__name__}")
    return value


def _read_parquet(
    path: Path, columns: tuple[str, ...], filters: list[tuple[str, str, str]] | None = None
) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(
            f"{path}: expected this file in the run folder, found no such file; did the run finish?"
        )
    try:
        names = pq.read_schema(path).names
        missing = [name for name in columns if name not in names]
        only = [name for name in names if name in (*columns, ROUTER_COST)] if filters else None
        frame = None if missing else pd.read_parquet(path, columns=only, filters=filters)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        problem = " ".join(str(error).split())
        raise UserError(
            f"{path}: expected a complete Parquet file, found {problem}; was it cut off?"
        ) from error
    if frame is None:
        raise UserError(f"{path}: expected also the columns {missing}, found {names}")
    return frame
