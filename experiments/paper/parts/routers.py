"""Tables 5 and 6: what routers gain and save over single targets, on all test queries and where targets disagree."""

from collections.abc import Sequence
from pathlib import Path

from experiments.comparing.forest import forest_drawing
from experiments.comparing.pool import Part, PoolComparison, catalogued, compare_pool, difference_text
from experiments.paper.asked import Asked
from experiments.paper.lineup import line_up, printed_name, reference_of
from experiments.paper.parts.targets import metric_sheet
from experiments.paper.reported import Compared, Paper, beside_paper, paper_notes, paper_of
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from experiments.paper.wording import heading
from prefillroute.reports.catalogue import FORMS, Metric
from prefillroute.reports.headline import number

GAINS = ("accuracy_gain", "headroom_captured", "cost_savings")
PAPER_GAINS = tuple(f"paper_{key}" for key in GAINS)
AREAS = ("p_auccc", "mdp_auccc", "efficacy", "efficacy_gain", "hull_gain")
DRAWN = (
    "mean_auc", "mean_brier", "relative_auc", "hull_gain", "p_auccc", "efficacy", "paper_accuracy_gain",
    "paper_cost_savings", "accuracy_gain", "cost_savings",
)  # fmt: skip
"""Differences in the figure; that of MDP-AUCCC is that of P-AUCCC, and so on."""
SINGLE = "single targets"
ON_SINGLE = (
    Metric("oracle_accuracy", "oracle accuracy", FORMS["percent"]),
    Metric("best_single_accuracy", "best single accuracy", FORMS["percent"]),
    Metric("best_single_cost", "its USD per 1,000", FORMS["USD per 1,000"]),
    Metric("dearest_cost", "dearest target's USD per 1,000", FORMS["USD per 1,000"]),
    Metric("p_auccc_models", "P-AUCCC", FORMS["decimal"]),
    Metric("efficacy_models", "efficacy", FORMS["decimal"]),
)
TITLES: dict[Part, str] = {"test": "all test queries", "disagreement": "queries on which targets disagree"}


def run(asked: Asked) -> Section:
    """Accuracy gain, headroom, savings, areas and efficacy, each with its interval and the paired difference."""
    folders = line_up(asked)
    reference = reference_of(asked)
    paper = paper_of(asked.data.pool.name, asked.data.outcomes.targets)
    sheets: list[Sheet] = []
    compared = {part: _compared(asked, folders, reference, part) for part in TITLES}
    for part, found in compared.items():
        sheets += _sheets(found, part, paper if part == "test" else None)
    drawings = tuple(
        forest_drawing(found, catalogued(DRAWN), f"differences_{part}", f"Paired differences, {TITLES[part]}")
        for part, found in compared.items()
        if found.differences
    )
    notes = (
        "Brackets are 95 % bootstrap intervals over test queries; differences are paired over the same resamples, and "
        "a star marks an interval that excludes 0.",
        "The paper reads gain, headroom and savings at the best point of the sweep on test itself: those are marked "
        "(paper). Beside them lambda is chosen on the calibration rows, and where no gain over the best single target "
        "is shown there, every query goes to that target, which gains nothing.",
        "On the queries on which targets disagree the oracle is right by definition; lambda is the one of all queries.",
        *paper_notes(paper, "abstract", "table 5", "table 6"),
    )
    return Section("Routers", tuple(sheets), drawings, notes)


def _compared(asked: Asked, folders: dict[str, Path], reference: str, part: Part) -> PoolComparison:
    return compare_pool(asked.pool, folders, reference, asked.num_resamples, part)


def _sheets(found: PoolComparison, part: Part, paper: Paper | None) -> list[Sheet]:
    suffix = "" if part == "test" else f"_{part}"
    where = TITLES[part]
    pool = _single(found, f"single_targets{suffix}", f"Single targets and oracle, {where}")
    title = f"Table 5: gain over single targets, {where}"
    gains = metric_sheet(f"table5{suffix}", title, found.metrics, catalogued((*PAPER_GAINS, *GAINS)))
    title = f"Table 6: areas and efficacy, {where}"
    areas = metric_sheet(f"table6{suffix}", title, found.metrics, catalogued(AREAS))
    sheets = [
        pool,
        *_beside(pool, found, paper, ON_SINGLE),
        gains,
        *_beside(gains, found, paper, catalogued(PAPER_GAINS)),
    ]
    sheets += [areas, *_beside(areas, found, paper, catalogued(AREAS))]
    if found.differences:
        shown = catalogued((*PAPER_GAINS, *GAINS, *AREAS))
        sheets.append(_differences(found, shown, f"differences{suffix}", where))
    return sheets


def _single(found: PoolComparison, name: str, title: str) -> Sheet:
    """What needs no router is the same in every run: one row."""
    return metric_sheet(name, title, {SINGLE: found.metrics[found.reference]}, ON_SINGLE)


def _beside(
    sheet: Sheet, found: PoolComparison, paper: Paper | None, shown: Sequence[Metric]
) -> tuple[Sheet, ...]:
    if paper is None:
        return ()
    compared = []
    for row in sheet.frame["router"].unique():
        entry = found.metrics[found.reference if row == SINGLE else row]
        for metric in shown:
            name = printed_name(row, found.reference)
            theirs = paper.of_pool(metric.key) if row == SINGLE else paper.of_router(name, metric.key)
            compared.append(Compared(row, metric.label, metric, number(entry["test"], metric.key), theirs))
    return beside_paper(sheet, compared)


def _differences(found: PoolComparison, shown: Sequence[Metric], name: str, where: str) -> Sheet:
    """The reference minus each other router."""
    rows = [
        (
            Cell(f"{found.reference} − {router}"),
            *(Cell("\n".join(filter(None, difference_text(of[metric.key], metric)))) for metric in shown),
        )
        for router, of in found.differences.items()
    ]
    headings = map(heading, shown)
    title = f"Paired differences from {found.reference}, {where}"
    return Sheet(name, title, ("", *headings), tuple(rows), found.frame(shown))
