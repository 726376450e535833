"""How much a router's answer depends on white space, wording and padding that leave the question as it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.figures.shifts import shifts_drawing
from experiments.paper.rewording.measured import Live, Shift, padding_error, shift
from experiments.paper.rewording.variants import VARIANTS
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from prefillroute.errors import UserError
from prefillroute.outcomes.subset import stratified_subset
from prefillroute.reports.numbers import MISSING, count, decimal, percent, points
from prefillroute.reports.run_table import read_predictions
from prefillroute.router.queries import read_queries
from prefillroute.router.router import Router
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.printing import say

LIVE, BROUGHT = "unchanged, read live", "paraphrases"
PADDING_TEXTS = 12
ROUNDING = {"float32": 1e-4, "bfloat16": 0.03}
"""Confidence that padding may change, by compute dtype: the shape of a batch decides how sums are rounded.
On SmolLM2-135M it is 0.006 in bfloat16. A token of padding that were read would change far more."""
ORDER = "options reversed"


def run(asked: Asked) -> Section:
    """Route test queries live as they are and reworded, and a few alone and among longer ones."""
    sheets, shifts, notes = [], {}, []
    for encoder in asked.encoders:
        found, padding, allowed = _measure(asked, asked.prefill(encoder))
        shifts[encoder] = found
        sheets.append(_sheet(asked.pool, encoder, found))
        notes += _notes(encoder, found, padding, allowed)
    notes.append(
        "outcomes are taken to stay as they were recorded: next to certain for white space, likely for wording, and no "
        f"more than an assumption for '{ORDER}' (models are known to favour some positions)"
    )
    return Section(
        "Robustness to white space, wording and padding",
        tuple(sheets),
        (shifts_drawing(asked.pool, shifts),),
        tuple(notes),
    )


def _measure(asked: Asked, folder: Path) -> tuple[list[Shift], float, float]:
    """The shift of every variant that changes some text, the greatest change by padding and the greatest allowed."""
    table = read_predictions(folder)
    queries = asked.data.outcomes.queries.set_index("query_id", drop=False).loc[table.query_id]
    queries = queries.reset_index(drop=True)
    test = np.flatnonzero((table.split == "test") & table.complete)
    rows = test[stratified_subset(queries.iloc[test], asked.num_texts)]
    router = Router.load(folder / "router")
    live = Live(router, table, queries)
    texts = queries["prompt"].to_numpy(dtype=object)
    error = padding_error(live, rows, texts[rows].tolist(), PADDING_TEXTS)
    allowed = _rounding(router)
    if not error <= allowed:
        raise UserError(
            f"{folder}: padding: expected confidences that change by at most {allowed:g} when a query is read among "
            f"longer ones, found {error:.2g}; please report it, the backend reads padding"
        )
    plain = live.read(rows, texts[rows].tolist())
    found = [
        shift(
            LIVE,
            live.table(rows, table.confidence[rows], table.cost_usd[rows]),
            plain,
            router,
            asked.num_resamples,
        )
    ]
    for number, (name, rewrite) in enumerate(VARIANTS.items(), 1):
        say(f"rewording {number} of {len(VARIANTS)}: {name}")
        reworded = [rewrite(text) for text in texts[rows]]
        changed = np.flatnonzero([new != old for new, old in zip(reworded, texts[rows], strict=True)])
        if len(changed):
            variant = live.read(rows[changed], [reworded[row] for row in changed])
            found.append(shift(name, live.part(plain, changed), variant, router, asked.num_resamples))
    if asked.paraphrases is not None:
        brought, prompts = _paraphrases(asked.paraphrases, table, test)
        found.append(
            shift(
                BROUGHT,
                live.read(brought, texts[brought].tolist()),
                live.read(brought, prompts),
                router,
                asked.num_resamples,
            )
        )
    return found, error, allowed


def _rounding(router: Router) -> float:
    """The greatest change of a confidence that the coarsest of its models may cause by rounding."""
    return max(ROUNDING[entry.identity.compute_dtype] for entry in router.manifest.models)


def _paraphrases(path: Path, table: ConfidenceTable, test: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Rows of the table and the texts that a user brought for them."""
    place = {str(table.query_id[row]): row for row in test}
    queries = read_queries(path)
    for query in queries:
        if query.query_id not in place:
            raise UserError(
                f"{path}: query_id '{query.query_id}': expected a complete test query of the pool, found none; "
                f"{len(place):,} are in predictions.parquet with split 'test'"
            )
    return np.array([place[query.query_id] for query in queries]), [query.prompt for query in queries]


def _sheet(pool: str, encoder: str, found: Sequence[Shift]) -> Sheet:
    rows = tuple(
        tuple(
            map(
                Cell,
                (
                    each.name,
                    count(each.num_texts),
                    decimal(each.mean, 4),
                    decimal(each.most, 4),
                    percent(each.moved_lambda0),
                    percent(each.moved_chosen),
                    _ends(decimal, each.auc, 4),
                    _ends(points, each.accuracy_lambda0, 2),
                    _ends(points, each.accuracy_chosen, 2),
                ),
            )
        )
        for each in found
    )
    columns = (
        "", "texts", "mean |Δp|", "95th percentile", "target moves, λ = 0", "target moves, chosen λ", "Δ AUC",
        "Δ accuracy (pp), λ = 0", "Δ accuracy (pp), chosen λ",
    )  # fmt: skip
    frame = pd.DataFrame([each.row() for each in found])
    return Sheet(
        f"robustness-{encoder}",
        f"What rewording changes: prefill, {encoder}, on {pool}",
        columns,
        rows,
        frame,
    )


def _ends(form: Callable[[float, int], str], value: tuple[float, float, float], digits: int) -> str:
    """A difference and its interval."""
    middle, low, high = (form(each, digits) for each in value)
    return middle if middle == MISSING else f"{middle} [{low}, {high}]"


def _notes(encoder: str, found: Sequence[Shift], padding: float, allowed: float) -> list[str]:
    same = [each.name for each in found if each.name != LIVE and each.greatest == 0]
    folded = f"{', '.join(same)} change nothing at all" if same else "no variant is folded away"
    return [
        f"{encoder}: the router reads a text as it stands, but for its chat template: {folded}",
        f"{encoder}: padding (a text alone and among longer ones) changes a confidence by at most {padding:.1g}; "
        f"more than {allowed:g} is an error. '{LIVE}' against the run's own confidences shows the same rounding",
        f"{encoder}: differences are variant less original on the same queries, 95 % intervals paired; the chosen λ is "
        "that of greatest accuracy on the calibration queries, without the guard",
    ]
