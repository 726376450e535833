"""Tables and native charts of a run for W&B."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import wandb

from prefillroute.reports.tracked import curve_rows, profile_rows, target_rows


def charts(folder: Path, metrics: dict[str, Any], encoder: str) -> Mapping[str, Any]:
    """What a finished run shows: the targets, the accuracy-cost curve, the layer profile.

    Args:
        folder: run folder.
        metrics: content of its metrics.json.
        encoder: name of the encoder that the run reads.

    Returns:
        Tables and charts by the key under which they are logged. A chart's table is logged as ``<key>_table``.
    """
    shown: dict[str, Any] = {"targets": _table(target_rows(metrics, encoder))}
    shown["accuracy_cost"] = wandb.plot.line(
        _table(curve_rows(folder)),
        "usd_per_1000",
        "accuracy",
        title="Accuracy against cost (USD per 1,000 queries)",
    )
    profile = profile_rows(folder)
    if profile is not None:
        score, word = ("auc", "AUC") if profile["auc"].notna().any() else ("fisher_j", "Fisher J")
        shown["layer_profile"] = wandb.plot.line(
            _table(profile), "layer", score, stroke="line", title=f"Layer profile: {word}, mean over targets"
        )
    return shown


def _table(frame: pd.DataFrame) -> wandb.Table:
    """A table in which a missing number is null."""
    plain = frame.astype(object).where(frame.notna(), None)
    rows: list[Any] = plain.to_numpy().tolist()
    return wandb.Table(columns=list(frame.columns), data=rows, allow_mixed_types=True)
