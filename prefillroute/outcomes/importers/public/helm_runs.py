"""Runs of HELM: folders with `run_spec.json`, `instances.json` and `per_instance_stats.json`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given
from prefillroute.outcomes.importers.public.gathered import Gathered
from prefillroute.outcomes.importers.public.numbers import measures, scores
from prefillroute.outcomes.importers.public.queries import PublicQueries


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Reads each run; the names are those of HELM.

    Args:
        name: of the data set.
        stats: file of each instance's statistics; the other two lie beside it.
        instances: file of the questions.
        spec: file that names the model and the scenario.
        metrics: statistics that are scores; the first that an instance has is taken.
        metric_of: scenario (the run's name before the colon) -> its own metric.
        category: arguments of a scenario that name a category.
        measures: ours -> name of the statistic.
    """

    name: str
    stats: str
    instances: str
    spec: str
    metrics: Sequence[str]
    metric_of: Mapping[str, str]
    category: Sequence[str]
    measures: Mapping[str, str]

    def find(self, path: Path) -> list[Path]:
        """The files of statistics below a folder.

        Raises:
            UserError: when there is none.
        """
        found = [path] if path.is_file() else sorted(path.rglob(self.stats))
        if not found:
            raise UserError(f"{path}: expected <run>/{self.stats} below it, found none")
        return found

    def read(self, given: Given, collector: Collector, advance: Advance, metric: str | None = None) -> None:
        """Take the outcomes of all runs; see `contract.Importer.read`.

        A damaged run is left out and counted, unless it is the only one.

        Args:
            given: what is read.
            collector: where outcomes go.
            advance: told of the progress.
            metric: the statistic that is the score, for all scenarios.

        Raises:
            UserError: a file of the only run is missing or damaged.
        """
        gathered = Gathered(PublicQueries(self.name), collector, self.measures)
        for number, file in enumerate(given.files):
            try:
                self._read(file, gathered, metric)
            except UserError as error:
                if number == len(given.files) - 1 and len(gathered) == 0:
                    raise
                collector.skip("run that could not be read", str(error))
            advance(file.stat().st_size)
        gathered.hand_over()

    def _read(self, file: Path, gathered: Gathered, metric: str | None) -> None:
        found = _json(file, list)
        spec_file = file.parent / self.spec
        spec = _json(spec_file, dict)
        model = _at(spec, spec_file, "adapter_spec", "model")
        run = str(_at(spec, spec_file, "name"))
        arguments = _at(spec, spec_file, "scenario_spec").get("args") or {}
        scenario = re.split("[:,]", run)[0]
        told = ",".join(f"{key}={arguments[key]}" for key in sorted(arguments))
        category = next((str(arguments[name]) for name in self.category if name in arguments), scenario)
        texts = self._texts(file.parent / self.instances)
        wanted = [metric] if metric else [self.metric_of.get(scenario, self.metrics[0]), *self.metrics]

        rows = list(self._rows(found, file, wanted, gathered.collector))
        query = [
            gathered.queries.add(
                (
                    f"{scenario}:{told}" if told else scenario,
                    row.instance,
                    texts.get(row.instance),
                    scenario,
                    category,
                    None,
                    None,
                )
            )
            for row in rows
        ]
        target = gathered.target(str(model))

        def where(index: int) -> str:
            return f"{file}: instance {rows[index].instance}"

        score = [row.stats.get(row.metric) for row in rows]
        metrics = sorted({row.metric for row in rows})
        values = {"correct": scores(score, " or ".join(metrics), where, gathered.collector)}
        for ours, theirs in self.measures.items():
            cells = [row.stats.get(theirs) for row in rows]
            values[ours] = measures(cells, theirs, where, gathered.collector)
        gathered.take(
            np.array(query, dtype=np.int64), np.full(len(rows), target, dtype=np.int64), values, where
        )

    def _texts(self, file: Path) -> dict[str, Any]:
        """Id -> text of the questions as they were written, without perturbed copies."""
        texts = {}
        for instance in _json(file, list):
            if type(instance) is dict and not instance.get("perturbation"):
                given = instance.get("input")
                texts[str(instance.get("id"))] = given.get("text") if type(given) is dict else given
        return texts

    def _rows(
        self, found: Sequence[Any], file: Path, wanted: Sequence[str], collector: Collector
    ) -> Iterator["_Row"]:
        for number, entry in enumerate(found, start=1):
            where = f"{file}: entry {number}"
            if type(entry) is not dict or type(entry.get("stats")) is not list:
                collector.skip("entry without a list stats", where)
                continue
            if entry.get("perturbation"):
                collector.skip("copy of a question, changed to see whether the answer holds", where)
                continue
            stats: dict[str, Any] = {}
            for stat in entry["stats"]:
                name = stat.get("name") if type(stat) is dict else None
                if type(name) is dict and not name.get("perturbation") and stat.get("count", 1):
                    stats.setdefault(str(name.get("name")), stat.get("mean"))
            metric = next((name for name in wanted if name in stats), None)
            if metric is None:
                collector.skip(
                    f"instance without a score (expected one of {', '.join(dict.fromkeys(wanted))})", where
                )
                continue
            yield _Row(str(entry.get("instance_id")), metric, stats)


@dataclass(frozen=True)
class _Row:
    instance: str
    metric: str
    stats: Mapping[str, Any]
    """Name -> mean."""


def _json(file: Path, kind: type) -> Any:
    """What a JSON file holds.

    Raises:
        UserError: it is missing, damaged or holds something else.
    """
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise UserError(
            f"{file}: expected this file of HELM beside the others, found none; copy the whole run"
        ) from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{file}: expected a whole JSON file, found a damaged one ({reason}); copy it again"
        ) from error
    if type(found) is not kind:
        name = "a list" if kind is list else "an object"
        raise UserError(f"{file}: expected {name} as HELM writes it, found {type(found).__name__}")
    return found


def _at(spec: Mapping[str, Any], file: Path, *keys: str) -> Any:
    here: Any = spec
    for key in keys:
        if type(here) is not dict or key not in here:
            raise UserError(f"{file}: expected {'.'.join(keys)}, found no {key}")
        here = here[key]
    return here
