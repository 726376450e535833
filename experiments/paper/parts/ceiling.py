"""Which share of the oracle's headroom is noise: what a perfect predictor of probabilities could gain."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.figures.headroom import Bar, headroom_drawing
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.outcomes.factors.dimension import Dimension
from prefillroute.reports.numbers import MISSING, count, decimal, percent, points
from prefillroute.reports.run_table import read_predictions
from prefillroute.routing.attainable import Attainable, attainable, unfit
from prefillroute.routing.contest import Contest
from prefillroute.routing.evaluation import chunk_size
from prefillroute.routing.lambda_sweep import GRID_SIZE
from prefillroute.routing.statistics.contract import RouterStatistic
from prefillroute.routing.statistics.declared import declared
from prefillroute.routing.table import ConfidenceTable

# B = resamples, D = draws

TITLE = "Ceiling: which share of the oracle's headroom is noise"
MEASURES = {"accuracy_gain_lambda0": "accuracy gain, λ = 0", "hull_gain": "hull gain"}
LEAST = 0.002
"""Of a ceiling so low, in accuracy, no share is worth telling."""


def run(asked: Asked) -> Section:
    """The oracle's headroom and the part of it that perfect probabilities would gain; what each router reaches."""
    tables = {name: read_predictions(asked.prefill(name)) for name in asked.encoders}
    table = next(iter(tables.values()))
    if (reason := unfit(table.correct)) is not None:
        return Section(TITLE, (), notes=(f"no estimate: {reason}",))
    category = asked.data.outcomes.queries.set_index("query_id")["category"].reindex(table.query_id)
    rows = np.flatnonzero(table.complete & (table.split == "test"))
    found = attainable(table.correct, table.cost_usd, rows, pd.factorize(category)[0])
    routers = {f"prefill, {name}": _gains(one, asked.num_resamples) for name, one in tables.items()}
    reason = found.doubt or _beyond(found, routers)
    frame = _frame(found, routers)
    frame["refused"] = reason is not None
    sheets = (_sheet(asked.pool, frame, reason is not None), _dimensions(asked.pool, found.dimension))
    drawing = headroom_drawing(asked.pool, _bars(frame), reason is not None)
    return Section(TITLE, sheets, (drawing,), _notes(found, len(rows), reason))


def _gains(table: ConfidenceTable, num_resamples: int) -> dict[str, np.ndarray]:
    """Each measure of a router: its value (first) and its resamples (1 + B,)."""
    contest = Contest.prepare(table, GRID_SIZE, None)
    statistics = [each for each in declared(RouterStatistic) if each.key in MEASURES]
    num_queries = len(contest.router.table)
    chunk = chunk_size(len(contest.router.frontier.query))
    weights = [np.ones((1, num_queries)), *resample_weights(num_queries, num_resamples, 0, chunk)]
    views = [contest.under(some).router for some in weights]
    return {each.key: np.concatenate([view[each] for view in views]) for each in statistics}


def _of(found: Attainable, measure: str) -> tuple[np.ndarray, float]:
    """Draws (D,) of what perfect probabilities gain, and what the oracle gains."""
    name = "hull" if measure == "hull_gain" else "accuracy"
    return getattr(found.perfect, name), float(getattr(found.oracle, name)[0])


def _frame(found: Attainable, routers: Mapping[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """One row for each router and measure, gains as shares."""
    rows = []
    for measure in MEASURES:
        perfect, oracle = _of(found, measure)
        low, high = interval(perfect) or (np.nan, np.nan)
        for name, values in routers.items():
            gain, resampled = values[measure][0], values[measure][1:]
            gain_low, gain_high = interval(resampled) or (np.nan, np.nan)
            row: dict[str, object] = {
                "router": name, "measure": measure, "oracle": oracle, "perfect": perfect.mean(), "perfect_low": low,
                "perfect_high": high, "gain": gain, "gain_low": gain_low, "gain_high": gain_high,
                "noise": 1 - perfect.mean() / oracle if oracle > LEAST else np.nan,
                "noise_low": 1 - high / oracle if oracle > LEAST else np.nan,
                "noise_high": 1 - low / oracle if oracle > LEAST else np.nan,
            }  # fmt: skip
            known = perfect.mean() > LEAST and low > 0 and len(resampled) > 0
            # The draws of the ceiling know nothing of the resamples of the queries, so any pairing is as good.
            ratio = resampled / np.resize(perfect, len(resampled)) if known else np.full(1, np.nan)
            share_low, share_high = interval(ratio) or (np.nan, np.nan)
            row |= {"share": gain / perfect.mean() if known else np.nan}
            row |= {"share_low": share_low, "share_high": share_high}
            rows.append(row)
    return pd.DataFrame(rows)


def _beyond(found: Attainable, routers: Mapping[str, dict[str, np.ndarray]]) -> str | None:
    """A router that has surely reached what the estimate calls a possible ceiling refutes the model."""
    for name, values in routers.items():
        for measure, words in MEASURES.items():
            perfect, _ = _of(found, measure)
            reached, ceiling = interval(values[measure][1:]), interval(perfect)
            if reached is not None and ceiling is not None and reached[0] > ceiling[0] and ceiling[1] > LEAST:
                return (
                    f"{name} gains {points(values[measure][0])} [{points(reached[0])}, {points(reached[1])}] points "
                    f"({words}), which the model's perfect predictor may not even reach: "
                    f"[{points(ceiling[0])}, {points(ceiling[1])}]"
                )
    return None


def _sheet(pool: str, frame: pd.DataFrame, refused: bool) -> Sheet:
    rows = []
    for row in frame.to_dict("records"):
        perfect = _with(points, row, "perfect")
        rows.append(
            tuple(
                map(
                    Cell,
                    (
                        f"{row['router']}: {MEASURES[row['measure']]}",
                        points(row["oracle"]),
                        f"refused ({perfect})" if refused else perfect,
                        MISSING if refused else _with(percent, row, "noise"),
                        _with(points, row, "gain"),
                        MISSING if refused else _with(percent, row, "share"),
                    ),
                )
            )
        )
    columns = (
        "", "oracle (pp)", "perfect probabilities (pp)", "noise in the oracle's", "router (pp)", "share of attainable",
    )  # fmt: skip
    return Sheet(
        "ceiling", f"What could be gained on the test queries of {pool} [95 %]", columns, tuple(rows), frame
    )


def _with(form: Callable[[float], str], row: Mapping[Any, Any], key: str) -> str:
    """A number and its interval."""
    low, high = (row[f"{key}_{end}"] for end in ("low", "high"))
    if not np.isfinite(row[key]):
        return MISSING
    return f"{form(row[key])} [{form(low)}, {form(high)}]"


def _dimensions(pool: str, dimension: Dimension) -> Sheet:
    """How well each model predicts what it did not see."""
    frame = pd.DataFrame(
        [
            {
                "factors": fit.model.num_factors, "categories": fit.model.with_categories,
                "log_likelihood": fit.log_likelihood, "behind": fit.behind, "standard_error": fit.standard_error,
                "kept": fit.model in dimension.kept,
            }
            for fit in dimension.fits
        ]
    )  # fmt: skip
    rows = tuple(
        (
            Cell(f"{row['factors']}{', categories' if row['categories'] else ''}"),
            Cell(decimal(row["log_likelihood"], 5), best=bool(row["kept"])),
            Cell(decimal(1000 * row["behind"], 2)),
            Cell(decimal(1000 * row["standard_error"], 2)),
        )
        for row in frame.to_dict("records")
    )
    columns = (
        "factors",
        "log-likelihood per held-out outcome",
        "behind the best (1/1,000)",
        "standard error",
    )
    return Sheet(
        "dimension", f"How many factors the outcomes of {pool} have; marked: those kept", columns, rows, frame
    )


def _bars(frame: pd.DataFrame) -> dict[str, list[Bar]]:
    columns = ["router", "gain", "perfect", "perfect_low", "perfect_high", "oracle"]
    return {
        words: [Bar(*row) for row in frame.loc[frame["measure"] == measure, columns].to_numpy()]
        for measure, words in MEASURES.items()
        if frame.loc[frame["measure"] == measure, "oracle"].notna().all()
    }


def _notes(found: Attainable, num_queries: int, reason: str | None) -> tuple[str, ...]:
    simulated = found.simulated.accuracy
    low, high = interval(simulated) or (np.nan, np.nan)
    return (
        *(
            ()
            if reason is None
            else (f"refused: {reason}. No share of the headroom can be called noise here.",)
        ),
        f"gains over {count(num_queries)} test queries; accuracy over the best single target, hull gain over the best "
        "static mixture",
        "perfect probabilities: expected gains of a router that knows each probability of the latent-factor model "
        f"(draws from {' and '.join(map(str, found.dimension.kept))}); what no two targets share, nor a category "
        "shows, counts as luck: a lower bound where each target has abilities of its own",
        f"were the model true, the oracle would gain {points(float(simulated.mean()))} [{points(low)}, {points(high)}] "
        f"points of accuracy; it gains {points(float(found.oracle.accuracy[0]))}",
        "the interval holds the uncertainty of the model's numbers and dimension, not that of its form",
    )
