"""What is left of a router on a benchmark or category that it never saw, against one that did see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.figures.dumbbell import MEAN, Dumbbell, dumbbell_drawing
from experiments.paper.measured import (
    METRICS,
    OF_MANY,
    Number,
    Numbers,
    aligned,
    constant,
    measure,
    with_costs,
)
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from experiments.paper.trained import Bench
from experiments.paper.wording import columns_of, gain_text, heading, value_text
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing
from prefillroute.reports.numbers import count
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.hints import hydra_value, listed

LABELS = ("benchmark", "category")
LEAST, MOST = 30, 20
"""Groups of fewer queries are not left out; of more groups, so many of the largest are."""
SETTINGS = ("trainer=quick", "mode=single", "layers=fixed")
DRAWN = ("mean_auc", "relative_auc", "hull_gain")


@dataclass(frozen=True)
class Found:
    """A router on one group of queries, or on the mean over groups."""

    unseen: Numbers
    """Of the router that never saw the group, on all its queries."""
    unseen_shared: Numbers
    """Of the router that never saw the group, on those of its queries that the other router was not trained on."""
    seen: Numbers
    """Of the router that was trained on the group as well, on the same of its queries."""

    @property
    def loss(self) -> dict[str, Number]:
        """What having seen the group is worth: `seen` minus `unseen_shared`, paired."""
        return {key: self.seen[key] - self.unseen_shared[key] for key in self.seen}

    @classmethod
    def mean(cls, found: list["Found"]) -> "Found":
        """The mean over groups, under a bootstrap within groups."""
        return cls(*(mean_of([getattr(each, item.name) for each in found]) for item in fields(cls)))


def mean_of(groups: Sequence[Numbers]) -> dict[str, Number]:
    """The mean over groups of every metric."""
    return {metric.key: Number.mean([numbers[metric.key] for numbers in groups]) for metric in METRICS}


@dataclass(frozen=True)
class Groups:
    """All routers on all groups of one column."""

    label: str
    """The column by whose values queries are grouped."""
    found: Mapping[str, Mapping[str, Found]]
    """By router and group."""
    constant: Mapping[str, Numbers]
    """By group: each target's accuracy on the queries of training without it, on all its queries."""
    sizes: Mapping[str, tuple[int, int, int]]
    """By group: its queries, those of them that are shared, and the queries that training without it had."""
    missing: list[str]
    """Why routers are missing."""

    @property
    def readers(self) -> list[str]:
        """The routers that read queries: all but the prior, which tells the queries of one group apart by nothing."""
        return [router for router in self.found if router != prior_of(self.label)]

    def on(self, name: str) -> dict[str, Found]:
        """All routers on one group."""
        return {router: groups[name] for router, groups in self.found.items()}

    @cached_property
    def mean(self) -> dict[str, Found]:
        """The mean over groups, by router."""
        return {router: Found.mean(list(groups.values())) for router, groups in self.found.items()}


def run(asked: Asked) -> Section:
    """Leave every benchmark and every category out of training, and measure routers on it."""
    sheets: list[Sheet] = []
    drawings: list[Drawing] = []
    notes: list[str] = []
    for label in LABELS:
        names, said = groups_of(asked.data.outcomes.queries, label)
        notes += said
        if names:
            groups = measure_groups(asked, label, names)
            sheets += [summary_sheet(groups), *(group_sheet(groups, router) for router in groups.readers)]
            drawings.append(drawing_of(groups, asked.pool))
            notes += groups.missing
    if sheets:
        notes += method(asked)
    return Section("Left out of training", tuple(sheets), tuple(drawings), tuple(notes))


def groups_of(queries: pd.DataFrame, label: str) -> tuple[list[str], list[str]]:
    """The groups of a column that are left out, the largest first, and what is to be said of the others.

    None are, if a column before it in `LABELS` divides the queries in the same way.
    """
    sizes = queries[label].value_counts()
    names = [str(name) for name, size in sizes.items() if size >= LEAST]
    if len(names) < 2:
        found = f"{len(names)} with {LEAST} queries or more"
        return [], [f"By {label} nothing is left out: at least two groups are needed, and there are {found}."]
    codes = pd.factorize(queries[label])[0]
    for other in LABELS[: LABELS.index(label)]:
        if np.array_equal(codes, pd.factorize(queries[other])[0]):
            return [], [f"By {label} nothing is left out: it divides the queries as {other} does."]
    left = [str(name) for name in sizes.index if str(name) not in names[:MOST]]
    said = f"By {label}, {count(len(left))} smaller groups are not left out: {listed(left)}."
    return names[:MOST], [said] if left else []


def prior_of(label: str) -> str:
    """Name of the router that knows nothing of a query but its label."""
    return f"{label} prior"


def routers_of(asked: Asked, label: str) -> dict[str, tuple[str, ...]]:
    """Name and overrides of each router."""
    prefill = {
        f"prefill {encoder}": ("signal=prefill", "head=shared_trunk", f"encoder={encoder}", *SETTINGS)
        for encoder in asked.encoders
    }
    return {
        **prefill,
        "sentence vectors": ("signal=embedding", "head=shared_trunk", *SETTINGS),
        prior_of(label): (f"signal={label}", "head=category_prior"),
    }


def measure_groups(asked: Asked, label: str, names: list[str]) -> Groups:
    """Train with and without each group, and measure.

    Training without a group takes as many queries as training with it where so many are left.
    """
    common, split = asked.data, asked.data.split
    num_resamples = min(asked.num_resamples, OF_MANY)
    rest = len(split.train) + len(split.calibration)
    without = (
        f"split=leave_one_{label}_out",
        f"split.calibration_size={len(split.calibration) / rest}",
        f"split.max_train_queries={len(split.train)}",
    )
    inside, outside = (Bench(asked, "left_out", replaced) for replaced in (("layers",), ("layers", "split")))
    routers = routers_of(asked, label)
    seen, missing = inside.tables(routers)
    reference = next(iter(seen.values()))
    seen = {router: with_costs(table, reference) for router, table in seen.items()}
    found: dict[str, dict[str, Found]] = {router: {} for router in seen}
    constants: dict[str, Numbers] = {}
    sizes = {}
    for number, name in enumerate(names):
        for router in seen:
            chosen = f"split.{label}={hydra_value(name)}"
            table = outside.table(f"{router} without {label} {number}", *routers[router], *without, chosen)
            known = table.select(np.isin(table.query_id, reference.query_id))
            known = with_costs(known, reference)
            found[router][name] = compare_on_group(known, seen[router], num_resamples, number)
            if name not in constants:
                constants[name] = measure(constant(known), num_resamples, number)
        test = table.query_id[table.split == "test"]
        shared = np.isin(test, common.outcomes.queries["query_id"].to_numpy()[split.test])
        sizes[name] = (len(test), int(shared.sum()), int((table.split == "train_oof").sum()))
    return Groups(label, found, constants, sizes, missing)


def compare_on_group(unseen: ConfidenceTable, seen: ConfidenceTable, num_resamples: int, seed: int) -> Found:
    """Measure two routers on one group.

    Args:
        unseen: of the router that was trained without the group, whose queries are its test part.
        seen: of the router that was trained on some of them.
        num_resamples: of the group's queries.
        seed: of the resamples, another one for each group.
    """
    group, test = unseen.part("test"), seen.part("test")
    shared = group.query_id[np.isin(group.query_id, test.query_id)]
    tables = (group, aligned(group, shared), aligned(test, shared))
    return Found(*(measure(table, num_resamples, seed) for table in tables))


def summary_sheet(groups: Groups) -> Sheet:
    """The mean over groups of every router."""
    lines: list[tuple[str, str, Mapping[str, Number], Callable[[Number, Metric], str]]] = []
    for router, found in groups.mean.items():
        lines.append((router, "never saw the group", found.unseen, value_text))
        lines.append((router, "seen minus unseen", found.loss, gain_text))
    lines.append(
        ("constant predictor", "never saw the group", mean_of(list(groups.constant.values())), value_text)
    )
    first, *others = groups.readers
    for other in others:
        pairs = [
            (groups.found[first][name].unseen, groups.found[other][name].unseen) for name in groups.sizes
        ]
        ahead = mean_of([{key: one[key] - two[key] for key in one} for one, two in pairs])
        lines.append((f"{first} minus {other}", "both never saw the group", ahead, gain_text))
    rows, records = [], []
    for router, words, numbers, text in lines:
        rows.append(tuple(map(Cell, (f"{router}: {words}", *(text(numbers[m.key], m) for m in METRICS)))))
        records += [
            {"router": router, "what": words, "metric": key, **columns_of("value", number)}
            for key, number in numbers.items()
        ]
    title = f"Mean over {len(groups.sizes)} groups by {groups.label}, each left out of training once"
    caption = (
        "Brackets: 95 % over queries resampled within groups. * The interval of a difference excludes 0."
    )
    columns = (groups.label, *map(heading, METRICS))
    return Sheet(f"left_out_{groups.label}", title, columns, tuple(rows), pd.DataFrame(records), caption)


def group_sheet(groups: Groups, router: str) -> Sheet:
    """One router on every group."""
    rows, records = [], []
    for name, found in groups.found[router].items():
        queries, shared, trained = groups.sizes[name]
        cells = [
            text
            for metric in METRICS
            for text in (value_text(found.unseen[metric.key], metric), gain_text(found.loss[metric.key], metric))
        ]  # fmt: skip
        rows.append(tuple(map(Cell, (name, count(queries), count(shared), count(trained), *cells))))
        for metric in METRICS:
            record: dict[str, object] = {groups.label: name, "metric": metric.key}
            record |= {"queries": queries, "shared": shared, "training_queries": trained}
            for item in fields(Found):
                record |= columns_of(item.name, getattr(found, item.name)[metric.key])
            records.append({**record, **columns_of("seen_minus_unseen", found.loss[metric.key])})
    columns = [part for metric in METRICS for part in (heading(metric), "seen − unseen")]
    slug = router.replace(" ", "_")
    return Sheet(
        f"left_out_{groups.label}_{slug}",
        f"{router}, each {groups.label} left out of training",
        (groups.label, "queries", "shared", "trained on", *columns),
        tuple(rows),
        pd.DataFrame(records),
        "Shared: queries of the group that neither router was trained on; the difference is over these.",
    )


def drawing_of(groups: Groups, pool: str) -> Drawing:
    """The dumbbell plot of the routers that read queries."""
    routers = groups.readers
    panels = []
    for metric in METRICS:
        if metric.key in DRAWN:
            rows = {MEAN: groups.mean, **{name: groups.on(name) for name in groups.sizes}}
            ends = {
                name: {
                    router: (row[router].seen[metric.key], row[router].unseen_shared[metric.key])
                    for router in routers
                }
                for name, row in rows.items()
            }
            panels.append(Dumbbell(metric, ends))
    return dumbbell_drawing(f"left-out-{groups.label}", f"{pool}: each {groups.label} left out once", panels)


def method(asked: Asked) -> list[str]:
    """How the routers were trained, and what follows from that."""
    split = asked.data.split
    return [
        f"All of these routers have {', '.join(SETTINGS[:1])} and the layer at three quarters of the encoder's depth "
        "(layers=fixed). No label of a left-out group takes part in that choice, as it would if the layers were those "
        "that a probe found on all training queries; and dozens of trainings take minutes. The router with its own "
        "trainer and probed layers is in the other parts.",
        f"Seen: the router of the study's own split, {count(len(split.train))} training and "
        f"{count(len(split.calibration))} calibration queries of all groups. Unseen: as many training queries where so "
        "many are left without the group. Costs are those of the first router with all groups, for every router.",
        "A prior of the label has nothing to say about one that it never saw: it falls back to each target's accuracy. "
        "What it loses in Brier score is what knowing the label of a query was worth.",
        "A mean over groups leaves out groups in which a number is undefined, such as relative AUC where no pair of "
        "targets differs on 20 queries.",
    ]
