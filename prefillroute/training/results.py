"""Writes a run's tables and numbers, each file whole or not at all, and prints the headline."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from prefillroute.calibration.contract import Calibrator
from prefillroute.files import write_text
from prefillroute.layers.choice import LayerChoice
from prefillroute.outcomes.files import write_table
from prefillroute.reports.catalogue import global_metrics
from prefillroute.reports.choice import choice_sentence
from prefillroute.routing.evaluation import Evaluation
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.screen import Screen
from prefillroute.training.timings import Timings

_INTERVAL = re.compile(r"\[\n\s+([^\s,\"\[\]{}]+),\n\s+([^\s,\"\[\]{}]+)\n\s*\]")
"""Two numbers in brackets on four lines. Strings in JSON cannot match, because line ends are escaped in them."""


def write_results(
    folder: Path,
    table: ConfidenceTable,
    evaluation: Evaluation,
    choice: LayerChoice | None,
    calibrator: Calibrator,
    timings: Timings,
    fits: int,
    work: int | None = None,
) -> None:
    """Write predictions, curve, layers and metrics.json, in this order, so that metrics.json means a complete run."""
    write_table(table.to_frame(), folder / "predictions.parquet")
    write_table(evaluation.curve, folder / "curve.parquet")
    layers: dict[str, Any] | None = None
    if choice is not None:
        write_table(choice.table, folder / "layers.parquet")
        layers = choice.to_dict()
    metrics = {
        **evaluation.metrics,
        "layers": layers,
        "calibration": {"name": calibrator.name, "calibrated": calibrator.calibrated},
        "fits": fits,
        "training_work": work,
        "timings_s": timings.seconds,
    }
    write_metrics(folder, metrics)


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write metrics.json, whole or not at all, with each interval on one line, because there are hundreds of them."""
    text = _INTERVAL.sub(r"[\1, \2]", json.dumps(metrics, indent=1, allow_nan=False))
    write_text(folder / "metrics.json", text + "\n")


def print_headline(evaluation: Evaluation, report: Path | None) -> None:
    """Print the headline numbers and intervals next to the constant predictor's numbers, and where the report is."""
    metrics = evaluation.metrics
    table = Table(title="test", title_justify="left")
    for name in ("metric", "value", "95 % interval", "constant predictor"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    headline = global_metrics("headline")
    for metric in headline:
        low, high = metrics["intervals"].get(metric.key) or (None, None)
        span = "" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"
        value, constant = (metrics["test"].get(key) for key in (metric.key, metric.constant_key))
        table.add_row(metric.words, _number(value), span, _number(constant))
    screen = Screen()
    screen.table(table)
    test = metrics["test"]
    screen.print(
        f"best single target {test['best_single']}: {test['best_single_accuracy']:.4f}; "
        f"oracle: {test['oracle_accuracy']:.4f}"
    )
    screen.print(choice_sentence(metrics))
    for metric in headline:
        if (reason := metrics["reasons"].get(f"test.{metric.key}")) is not None:
            screen.print(f"{metric.words}: no number ({reason})")
    if report is not None:
        screen.print(f"report: {report}")


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "-"
