"""Tables 3, 4 and B.1 to B.3: how well routers know each target, and how it does on what is routed to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.lineup import Ranked, line_up, printed_name, rank, reference_of
from experiments.paper.reported import Compared, Paper, beside_paper, paper_notes, paper_of
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet, mark_best
from experiments.paper.wording import heading
from prefillroute.reports.catalogue import FORMS, Metric, catalogued
from prefillroute.reports.headline import interval, interval_text, number
from prefillroute.reports.numbers import MISSING, decimal
from prefillroute.reports.run_folder import read_metrics
from prefillroute.routing.statistics.prediction import AUC, BRIER, MEAN_AUC, MEAN_BRIER

Metrics = Mapping[str, dict[str, Any]]
"""Router to metrics.json."""

ROUTED = Metric(
    "routed_accuracy_lambda0",
    "wtd. acc. (to), λ = 0",
    FORMS["percent"],
    "higher",
    "accuracy of each target on the queries routed to it, weighted by their number",
)
ARCHITECTURES = (catalogued(MEAN_AUC), catalogued(MEAN_BRIER), ROUTED)
PERCENT, DELTA, COST = (
    FORMS[name] for name in ("percent", "percentage points without unit", "USD per 1,000")
)
PER_TARGET = (
    Metric("auc", "AUC", FORMS["decimal"], "higher"),
    Metric("brier", "Brier", FORMS["decimal"], "lower"),
    Metric("share_lambda0", "routed to it", PERCENT),
    Metric("accuracy_routed_to_lambda0", "accuracy to", PERCENT),
    Metric("accuracy_routed_away_lambda0", "accuracy away", PERCENT),
    Metric("routing_delta_lambda0", "routing delta, pp", DELTA, "higher"),
    Metric("cost_routed_to_lambda0", "USD per 1,000 to", COST),
    Metric("cost_routed_away_lambda0", "USD per 1,000 away", COST),
)


def run(asked: Asked) -> Section:
    """AUC, Brier and accuracy where routed, per architecture and target; the best three and the worst three."""
    folders = line_up(asked)
    reference = reference_of(asked)
    metrics = {name: read_metrics(folder) for name, folder in folders.items()}
    paper = paper_of(asked.data.pool.name, asked.data.outcomes.targets)
    ranked = rank(asked, folders)
    sheets = (
        *_architectures(metrics, reference, paper),
        _routed(metrics[reference], reference),
        *_ranked(ranked, reference, paper, AUC.key),
        *_ranked(ranked, reference, paper, BRIER.key),
    )
    notes = [
        "Brackets are 95 % bootstrap intervals over test queries.",
        _weighted_note(metrics),
        _ranked_note(asked, ranked),
        *paper_notes(paper, "table 3", "table B", "tables B"),
    ]
    return Section("Per target", sheets, notes=tuple(filter(None, notes)))


def _architectures(metrics: Metrics, reference: str, paper: Paper | None) -> tuple[Sheet, ...]:
    sheet = metric_sheet("table3", "Table 3: routers, means over targets", metrics, ARCHITECTURES)
    if paper is None:
        return (sheet,)
    compared = [
        Compared(
            name,
            metric.label,
            metric,
            number(entry["test"], metric.key),
            paper.architecture(printed_name(name, reference), metric.key),
        )
        for name, entry in metrics.items()
        for metric in ARCHITECTURES
    ]
    return (sheet, *beside_paper(sheet, compared))


def metric_sheet(name: str, title: str, metrics: Metrics, shown: Sequence[Metric]) -> Sheet:
    """One row per router, each metric of section `test` with its interval; the best value of a column stands out.

    Args:
        name: stem of the files.
        title: heading.
        metrics: router to metrics.json.
        shown: the columns.
    """
    columns = []
    for metric in shown:
        values = [number(entry["test"], metric.key) for entry in metrics.values()]
        texts = [
            with_interval(metric.form(value), interval_text(entry, metric))
            for value, entry in zip(values, metrics.values(), strict=True)
        ]
        best = mark_best(texts, values, metric.better == "higher")
        columns.append(best if metric.better else tuple(map(Cell, texts)))
    rows = tuple(
        (Cell(router), *(column[index] for column in columns)) for index, router in enumerate(metrics)
    )
    frame = pd.DataFrame(
        [
            {
                "router": router,
                "metric": metric.key,
                "value": number(entry["test"], metric.key),
                **ends(entry, metric.key),
            }
            for router, entry in metrics.items()
            for metric in shown
        ]
    )
    headings = map(heading, shown)
    return Sheet(name, title, ("router", *headings), rows, frame)


def _routed(entry: Mapping[str, Any], reference: str) -> Sheet:
    """How the reference does on each target, and the target on what goes to it."""
    of_targets = entry["targets"]
    rows, numbers = [], []
    for target, found in of_targets.items():
        cells = [Cell(target), Cell(PERCENT(found["accuracy"]))]
        for metric in PER_TARGET:
            text = metric.form(number(found, metric.key))
            cells.append(Cell(with_interval(text, interval_text(dict(entry), metric, f"targets.{target}."))))
        rows.append(tuple(cells))
        for key in found:
            if key != "num_rows":
                low_high = ends(entry, f"targets.{target}.{key}")
                numbers.append({"target": target, "metric": key, "value": number(found, key), **low_high})
    headings = map(heading, PER_TARGET)
    return Sheet(
        "table4",
        f"Table 4: each target, and what {reference} routes to it at λ = 0",
        ("target", "accuracy", *headings),
        tuple(rows),
        pd.DataFrame(numbers),
        "To: on the queries that go to it; away: on all others, had they gone to it. Costs are the target's own.",
    )


def _ranked(ranked: Sequence[Ranked], reference: str, paper: Paper | None, key: str) -> tuple[Sheet, ...]:
    """Rows are targets, columns the best and the worst routers."""
    metric = catalogued(AUC if key == AUC.key else BRIER)
    mean = catalogued(MEAN_AUC if key == AUC.key else MEAN_BRIER)
    metrics = [read_metrics(entry.folder) for entry in ranked]
    titles = [f"#{entry.place} {entry.name}" for entry in ranked]
    better = metric.better == "higher"

    def row(name: str, values: Sequence[float | None], texts: Sequence[str]) -> tuple[Cell, ...]:
        return (Cell(name), *mark_best(texts, values, better))

    targets = list(dict.fromkeys(target for entry in metrics for target in entry["targets"]))
    rows, numbers, compared = [], [], []
    for target in targets:
        values = [number(entry["targets"].get(target, {}), key) for entry in metrics]
        rows.append(row(target, values, [decimal(value, 4) for value in values]))
        for title, router, entry, value in zip(titles, ranked, metrics, values, strict=True):
            numbers.append(
                {
                    "target": target,
                    "place": router.place,
                    "router": router.name,
                    key: value,
                    **ends(entry, f"targets.{target}.{key}"),
                }
            )
            if paper is not None:
                theirs = paper.per_target(printed_name(router.name, reference), key, target)
                compared.append(Compared(target, title, metric, value, theirs))
    means = [number(entry["test"], mean.key) for entry in metrics]
    texts = [
        with_interval(decimal(value, 4), interval_text(entry, mean))
        for value, entry in zip(means, metrics, strict=True)
    ]
    rows.append(row("mean", means, texts))
    name = f"table_b_{key}"
    title = f"Tables B.1 to B.3: {metric.label} per target of the best and the worst routers"
    sheet = Sheet(name, title, ("target", *titles), tuple(rows), pd.DataFrame(numbers))
    return (sheet, *beside_paper(sheet, compared))


def _weighted_note(metrics: Metrics) -> str:
    """Whether the paper's weighted accuracy is the routed accuracy, as measured."""
    apart = [
        abs(weighted - routed)
        for entry in metrics.values()
        if (routed := number(entry["test"], ROUTED.key)) is not None
        and (weighted := weighted_accuracy(entry)) is not None
    ]
    left_out = max(int(entry["test"]["num_left_out"]) for entry in metrics.values())
    said = (
        "The paper's Wtd. Acc (to) weighs each target's accuracy on the queries routed to it at λ = 0 by their number: "
        "on complete queries that is the routed accuracy at λ = 0, which is shown."
    )
    if not apart:
        return said
    return (
        f"{said} Computed the long way, over all {'test queries' if left_out else 'of them'}, it differs by at most "
        f"{max(apart):.1g}" + (f"; {left_out} test queries lack a target's outcome." if left_out else ".")
    )


def weighted_accuracy(entry: Mapping[str, Any]) -> float | None:
    """Wtd. Acc (to) at lambda 0, from the targets' own numbers; None where nothing was routed."""
    pairs = [
        (float(found["share_lambda0"]), float(found["accuracy_routed_to_lambda0"]))
        for found in entry["targets"].values()
        if found["share_lambda0"] and found["accuracy_routed_to_lambda0"] is not None
    ]
    total = sum(share for share, _ in pairs)
    return sum(share * accuracy for share, accuracy in pairs) / total if total else None


def _ranked_note(asked: Asked, ranked: Sequence[Ranked]) -> str:
    source = f"the grid {asked.grid}" if asked.grid else "the line-up"
    said = "; ".join(f"#{entry.place} {entry.name} {entry.auc:.4f}" for entry in ranked)
    return (
        f"Best and worst routers of {source}, ranked by mean AUC on the rows that lambda is chosen on, shown on test: "
        f"{said}."
    )


def with_interval(value: str, ends_text: str) -> str:
    """A value, and on a second line its interval; nothing is added where one is missing."""
    return value if MISSING in (value, ends_text) else f"{value}\n{ends_text}"


def ends(entry: Mapping[str, Any], key: str) -> dict[str, float | None]:
    """The ends of an interval as columns."""
    low, high = interval(dict(entry), key) or (None, None)
    return {"low": low, "high": high}
