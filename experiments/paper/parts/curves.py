"""Figures 3, C.1 and C.2: the accuracy-cost curves of all routers, targets, front and oracle in one figure."""

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.figures.curves import Bands, Curve, bands, curve_drawings
from experiments.paper.lineup import line_up, reference_of
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from prefillroute.errors import UserError
from prefillroute.metrics.hull_gain import cost_at_best_single
from prefillroute.reports.numbers import MISSING, NBSP, decimal, percent, usd_per_thousand
from prefillroute.reports.run_table import read_predictions
from prefillroute.routing.contest import Contest
from prefillroute.routing.lambda_sweep import GRID_SIZE, best_point

NUM_COSTS = 9
"""Costs at which the table says how accurate the reference is."""


def run(asked: Asked) -> Section:
    """Accuracy against cost of every router, with a bootstrap band for SharedTrunkNet."""
    folders = line_up(asked)
    reference = reference_of(asked)
    if asked.num_resamples < 1:
        raise UserError(
            f"--resamples: expected at least 1 for the band of the curve, found {asked.num_resamples}"
        )
    contests = {
        name: Contest.prepare(read_predictions(folder), GRID_SIZE, None) for name, folder in folders.items()
    }
    first = contests[reference]
    views = {
        name: contest.under(np.ones((1, len(contest.router.table)))) for name, contest in contests.items()
    }
    points = views[reference].pool.points
    num_queries = int(first.router.table.complete.sum())
    if num_queries == 0:
        raise UserError(f"pool {asked.pool}: expected test queries with every target's outcome, found none")
    curves = {name: Curve.of(view.router) for name, view in views.items()}
    band = bands(first, curves[reference], asked.num_resamples)
    drawings = curve_drawings(first.router.table.targets, points, curves, band, num_queries)
    rows, frames = [], []
    for name, view in views.items():
        curve, (cost, accuracy) = curves[name], view.router.swept
        top = int(best_point(accuracy)[0])
        at_best = float(cost_at_best_single(cost, accuracy, points)[0])
        times = f"{decimal(at_best, 2)}{NBSP}×" if np.isfinite(at_best) else MISSING
        texts = (
            percent(curve.accuracy[top]), usd_per_thousand(curve.cost_usd[top]), times,
            percent(curve.accuracy[-1]), usd_per_thousand(curve.cost_usd[-1]),
        )  # fmt: skip
        rows.append((Cell(name), *map(Cell, texts)))
        frontier = contests[name].router.frontier
        frames.append(
            pd.DataFrame(
                {
                    "router": name,
                    "lambda": frontier.lambda_,
                    "cost_usd": curve.cost_usd,
                    "accuracy": curve.accuracy,
                    "x": curve.x,
                    "y": curve.y,
                }
            )
        )
    columns = (
        "router", "greatest accuracy", "its USD per 1,000", "cost at best single's accuracy", "accuracy, λ = 1",
        "its USD per 1,000, λ = 1",
    )  # fmt: skip
    title = f"Curves of figure 3: their ends, {asked.pool}"
    ends = Sheet("curves", title, columns, tuple(rows), pd.concat(frames, ignore_index=True))
    notes = ["The points of all curves are in curves.csv, the band in curve_band.csv."]
    if len(drawings) == 1:
        notes.append("The normalised plane is left out: a target is free, or all cost the same.")
    return Section(
        "Accuracy against cost",
        (ends, _band_sheet(reference, curves[reference], band)),
        tuple(drawings),
        tuple(notes),
    )


def _band_sheet(reference: str, curve: Curve, band: Bands) -> Sheet:
    """The reference's accuracy at some costs, with the band."""
    found = band.cost
    height = np.interp(found.at, curve.cost_usd[::-1], curve.accuracy[::-1])
    chosen = np.linspace(0, len(found.at) - 1, NUM_COSTS + 2)[1:-1].round().astype(int)
    rows = tuple(
        (
            Cell(usd_per_thousand(found.at[index])),
            Cell(percent(height[index])),
            Cell(f"[{percent(found.low[index])}, {percent(found.high[index])}]"),
        )
        for index in chosen
    )
    frame = pd.DataFrame({"cost_usd": found.at, "accuracy": height, "low": found.low, "high": found.high})
    columns = ("USD per 1,000", "accuracy", "95 % band")
    return Sheet("curve_band", f"Accuracy of {reference} at equal cost", columns, rows, frame)
