"""What a router is worth on another pool: trained on one, applied to the targets that both pools have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from experiments.paper.asked import Asked
from experiments.paper.figures.intervals import intervals_drawing
from experiments.paper.measured import METRICS, Number, Numbers, aligned, measure
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from experiments.paper.wording import columns_of, gain_text, heading, value_text
from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.config.compose import fact
from prefillroute.config.facts import PathsConfig, PoolConfig
from prefillroute.config.guard import one_line
from prefillroute.errors import UserError
from prefillroute.outcomes.pool import pool_targets
from prefillroute.readings.cached import CachedReadings, CacheLibrary
from prefillroute.reports.drawing import Drawing
from prefillroute.reports.numbers import count, joined
from prefillroute.reports.run_table import read_confidence_table
from prefillroute.router.router import Router
from prefillroute.routing.baselines import constant_confidence
from prefillroute.routing.table import ConfidenceTable
from prefillroute.training.data import RunData

SAME_MODELS = Path(__file__).resolve().parents[1] / "same_models.yaml"
LEAST_TARGETS = 2
TRANSFERRED, RECALIBRATED, OWN, CONSTANT = "transferred", "recalibrated", "trained here", "constant"
DIFFERENCES = (
    (TRANSFERRED, CONSTANT),
    (RECALIBRATED, CONSTANT),
    (RECALIBRATED, TRANSFERRED),
    (OWN, RECALIBRATED),
)
"""Pairs of routers that are compared."""


@dataclass(frozen=True)
class Transfer:
    """A router of a source pool on the test queries of the study's pool."""

    source: str
    encoder: str
    targets: tuple[str, ...]
    """Those that both pools have, under the names of the study's pool."""
    num_test: int
    routers: Mapping[str, Numbers]
    """By name: the transferred router and those it is compared with, on the same queries and targets."""

    def difference(self, first: str, second: str) -> dict[str, Number]:
        """One router minus another, paired."""
        return {key: self.routers[first][key] - self.routers[second][key] for key in self.routers[first]}


def run(asked: Asked) -> Section:
    """Apply the routers of the study's other pools to this one's test queries, on the targets that both have."""
    found: list[Transfer] = []
    notes: list[str] = []
    for source in asked.others:
        for encoder in asked.encoders:
            try:
                found.append(transfer(asked, replace(asked, pool=source, others=()), encoder))
            except UserError as error:
                notes.append(f"From {source}, {encoder}: {one_line(error)}")
    if not asked.others:
        notes.append("Nothing is transferred to this pool: expected two pools or more (--pools), found one.")
    if not found:
        return Section("Transfer between pools", (), notes=tuple(dict.fromkeys(notes)))
    drawing = drawing_of(found, asked.pool)
    return Section(
        "Transfer between pools",
        (values_sheet(found, asked.pool), differences_sheet(found, asked.pool)),
        (drawing,),
        (*method(asked, found), *notes),
    )


def transfer(asked: Asked, source: Asked, encoder: str) -> Transfer:
    """Train on the source pool, unless that was done, and measure on the study's pool.

    Raises:
        UserError: the pools have too few targets or too many queries in common, or something that is needed is missing.
    """
    names = [target.name for target in asked.data.targets]
    columns = shared_targets(names, target_names(source), same_models())
    if len(columns) < LEAST_TARGETS:
        shared = f"found {joined([names[own] for own, _ in columns])}" if columns else "found none"
        raise UserError(f"expected {LEAST_TARGETS} targets or more that both pools have, {shared}")
    data, own_columns = asked.data, [own for own, _ in columns]
    rows = data.split.test[~common_queries(data, source.data)[data.split.test]]
    if len(rows) == 0:
        raise UserError(
            "expected other queries than those of this pool, found that it has all of its test queries"
        )
    folders = [each.prefill(encoder) for each in (source, asked)]
    router = Router.load(folders[0] / "router")
    z = logits_on(router, asked)
    their_columns = [their for _, their in columns]
    calibrating = data.split.calibration if len(data.split.calibration) else data.split.train
    correct = data.outcomes.correct[:, own_columns]
    platt = PlattCalibrator().fit(z[calibrating][:, their_columns], correct[calibrating])
    own = only_targets(read_confidence_table(folders[1]), own_columns)
    test = aligned(own, data.outcomes.queries["query_id"].to_numpy(dtype=object)[rows])
    base_rates = constant_confidence(correct[data.split.train])
    confidences = {
        TRANSFERRED: router.calibrator.transform(z)[rows][:, their_columns],
        RECALIBRATED: platt.transform(z[rows][:, their_columns]),
        OWN: test.confidence,
        CONSTANT: np.tile(base_rates, (len(rows), 1)),
    }
    routers = {
        name: measure(replace(test, confidence=confidence), asked.num_resamples)
        for name, confidence in confidences.items()
    }
    return Transfer(source.pool, encoder, test.targets, len(rows), routers)


def target_names(asked: Asked) -> list[str]:
    """Names of the targets of a pool, without reading its outcomes."""
    pool = fact(asked.config().pool, PoolConfig)
    return [target.name for target in pool_targets(pool.targets, pool.exclude)]


def read_same_models() -> list[list[str]]:
    """The names of every model that has several."""
    return list(yaml.safe_load(SAME_MODELS.read_text("utf-8")))


def same_models() -> dict[str, str]:
    """The first name of every model that has several, by each of its names."""
    return {name: names[0] for names in read_same_models() for name in names}


def shared_targets(
    own: Sequence[str], theirs: Sequence[str], same: Mapping[str, str]
) -> list[tuple[int, int]]:
    """Positions of the targets that two pools share, in the first one's order.

    Args:
        own, theirs: names of the pools' targets.
        same: names that stand for other names, from `same_models`.

    Example:
        >>> shared_targets(["a", "b", "c"], ["c", "B"], {"b": "b", "B": "b"})
        [(1, 1), (2, 0)]
    """
    place = {same.get(name, name): number for number, name in enumerate(theirs)}
    positions = [(number, place.get(same.get(name, name))) for number, name in enumerate(own)]
    return [(number, found) for number, found in positions if found is not None]


def common_queries(data: RunData, source: RunData) -> np.ndarray:
    """(Q,) bool: which queries of a pool are also in another, by their prompts after folding white space."""
    prompts, theirs = (each.outcomes.queries["prompt"].str.split().str.join(" ") for each in (data, source))
    return np.asarray(prompts.isin(set(theirs)))


def logits_on(router: Router, asked: Asked) -> np.ndarray:
    """Logits (Q, M) of a router on all queries of a pool, from the caches of the models that it reads."""
    facts = {(entry.reading.group, entry.reading.name): entry.facts for entry in router.manifest.models}
    caches = Path(fact(asked.config().paths, PathsConfig).caches)
    queries = asked.data.outcomes.queries
    library = CacheLibrary(caches, queries, lambda group, name: facts[group, name], asked.pool)
    return router.predictor.logits(CachedReadings(library))


def only_targets(table: ConfidenceTable, columns: Sequence[int]) -> ConfidenceTable:
    """The table of some targets, in the order given."""
    names = ("confidence", "cost_usd", "realised_cost_usd", "correct")
    some = {name: getattr(table, name)[:, list(columns)] for name in names}
    return replace(table, targets=tuple(table.targets[column] for column in columns), **some)


def values_sheet(found: Sequence[Transfer], pool: str) -> Sheet:
    """Every router on the shared targets."""
    rows, records = [], []
    for each in found:
        for name, numbers in each.routers.items():
            cells = [value_text(numbers[metric.key], metric) for metric in METRICS]
            rows.append(tuple(map(Cell, (f"{each.source}, {each.encoder}: {name}", *cells))))
            records += [
                {**_key(each), "router": name, "metric": key, **columns_of("value", number)}
                for key, number in numbers.items()
            ]
    title = f"Routers of other pools on {pool}, on the targets that both have"
    return Sheet(
        "transfer", title, ("from", *map(heading, METRICS)), tuple(rows), pd.DataFrame(records), "Brackets: 95 %."
    )  # fmt: skip


def differences_sheet(found: Sequence[Transfer], pool: str) -> Sheet:
    """Paired differences between them."""
    rows, records = [], []
    for each in found:
        for first, second in DIFFERENCES:
            gains = each.difference(first, second)
            cells = [gain_text(gains[metric.key], metric) for metric in METRICS]
            rows.append(tuple(map(Cell, (f"{each.source}, {each.encoder}: {first} − {second}", *cells))))
            records += [
                {**_key(each), "router": first, "minus": second, "metric": key, **columns_of("difference", gain)}
                for key, gain in gains.items()
            ]  # fmt: skip
    return Sheet(
        "transfer_differences",
        f"The same on {pool}, paired differences",
        ("from", *map(heading, METRICS)),
        tuple(rows),
        pd.DataFrame(records),
        "* The 95 % interval excludes 0.",
    )


def _key(each: Transfer) -> dict[str, object]:
    return {
        "source": each.source,
        "encoder": each.encoder,
        "targets": len(each.targets),
        "queries": each.num_test,
    }


def drawing_of(found: Sequence[Transfer], pool: str) -> Drawing:
    """Every router's numbers with intervals, one block of rows for each source and encoder."""
    blocks = {f"{each.source}, {each.encoder}": each.routers for each in found}
    return intervals_drawing("transfer", f"{pool}: routers that were trained elsewhere", blocks, METRICS)


def method(asked: Asked, found: Sequence[Transfer]) -> list[str]:
    """What was measured on which queries and targets."""
    split = asked.data.split
    rows, part = (split.calibration, "calibration") if len(split.calibration) else (split.train, "training")
    pairs = {
        each.source: f"{each.source}: {count(each.num_test)} test queries that it does not have, "
        f"{count(len(each.targets))} targets ({joined(each.targets, most=8)})"
        for each in found
    }
    return [
        *(f"From {said}." for said in pairs.values()),
        f"Transferred: the bundle of the source's run reads cached activations of {asked.pool} and is calibrated as "
        f"there. Recalibrated: Platt scaling of its logits, fitted on the {count(len(rows))} {part} queries of "
        f"{asked.pool}; it reverses no target's order of queries, but may move one target past another. Trained here: "
        f"the run of {asked.pool}, of which only the shared targets count. Constant: each target's accuracy on the "
        f"training queries of {asked.pool}. Costs are those of {asked.pool}'s run for all of them.",
        "Names that stand for one model are listed in experiments/paper/same_models.yaml.",
    ]
