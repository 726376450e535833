"""What a tracking service shows of a run: plain numbers and small tables, read from the run folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.reports.catalogue import target_metrics
from prefillroute.reports.headline import interval, number

TEST = "test/"
"""Before the key of a global test metric."""
CURVE_POINTS = 300
"""Most points of a curve: more are not seen, and charts of many runs hold 10,000 in all."""


def summary_numbers(metrics: dict[str, Any]) -> dict[str, float | str]:
    """The global test metrics as ``test/<key>``, with ``_low`` and ``_high`` for the ends of their intervals.

    Nulls are left out, and so are infinite ends.
    """
    summary: dict[str, float | str] = {}
    for key, value in metrics["test"].items():
        if isinstance(value, str | bool):
            summary[f"{TEST}{key}"] = str(value)
        elif (found := number(metrics["test"], key)) is not None:
            summary[f"{TEST}{key}"] = found
            for name, end in zip(("low", "high"), interval(metrics, key) or (), strict=False):
                if np.isfinite(end):
                    summary[f"{TEST}{key}_{name}"] = end
    return summary


def target_rows(metrics: dict[str, Any], encoder: str) -> pd.DataFrame:
    """One row per target: the encoder that was read, the target, its metrics, the ends of their intervals."""
    rows = []
    for target, values in metrics["targets"].items():
        row: dict[str, Any] = {"encoder": encoder, "target": target, "rows": values.get("num_rows")}
        for metric in target_metrics():
            row[metric.key] = number(values, metric.key)
            if metric.with_interval:
                ends = interval(metrics, f"targets.{target}.{metric.key}") or (None, None)
                row[f"{metric.key}_low"], row[f"{metric.key}_high"] = ends
        rows.append(row)
    return pd.DataFrame(rows)


def curve_rows(folder: Path) -> pd.DataFrame:
    """The accuracy-cost curve by rising cost: cost in USD per 1,000 queries, accuracy, lambda; at most 300 points."""
    curve = pd.read_parquet(folder / "curve.parquet").sort_values("cost_usd", kind="stable")
    kept = np.unique(np.linspace(0, len(curve) - 1, CURVE_POINTS).round().astype(int))
    curve = curve.iloc[kept]
    return pd.DataFrame(
        {
            "usd_per_1000": 1000 * curve["cost_usd"].to_numpy(),
            "accuracy": curve["accuracy"].to_numpy(),
            "lambda": curve["lambda"].to_numpy(),
        }
    )


def profile_rows(folder: Path) -> pd.DataFrame | None:
    """The layer profile: encoder, pooling, layer, their name as one line, AUC and Fisher J as means over targets.

    AUC is that of the best dimension. None for a run that scored no layer.
    """
    path = folder / "layers.parquet"
    if not path.exists():
        return None
    scored = pd.read_parquet(path).dropna(subset=["auc", "fisher_j"], how="all")
    if scored.empty:
        return None
    keys = ["encoder", "pooling", "layer"]
    mean = scored.groupby([*keys, "dim"], sort=False)[["auc", "fisher_j"]].mean()
    rows = mean.groupby(keys, sort=False).max().reset_index().sort_values(keys, kind="stable")
    rows.insert(0, "line", rows["encoder"] + ", " + rows["pooling"])
    return rows.reset_index(drop=True)
