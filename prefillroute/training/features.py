"""Turns a signal into the features that a head reads, fitted inside every group, for all rows of the run.

N = training rows, P = rows that are only predicted, G = groups, D = features.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from prefillroute.digest import digest
from prefillroute.layers.contract import LayerChooser, ProbeTask, Remember
from prefillroute.layers.memo import remembered_table
from prefillroute.layers.table import ProbeTable
from prefillroute.outcomes.folds import stratified_folds
from prefillroute.readings.cached import CachedReadings
from prefillroute.readings.contract import Reading
from prefillroute.signals.contract import Fitting, Probe, Signal
from prefillroute.spec import store
from prefillroute.training.data import RunData
from prefillroute.training.progress import Note, no_note, progress_bar


@dataclass(frozen=True)
class Features:
    """The features that the head reads."""

    train: np.ndarray
    """(G, N, D) float32: the training rows under the transform of each group."""
    predict: np.ndarray
    """(P, D) float32: calibration and test rows under the final transform."""
    extras: Mapping[str, np.ndarray]
    """(N,) float32 each: what training may know besides the features."""
    signal: Signal
    """The fitted signal; group 0 goes into the bundle."""
    seconds: Mapping[str, float]
    """Wall seconds taken to make the features."""


@dataclass(frozen=True)
class RememberedScores:
    """Scores of layers on training rows, remembered between the jobs of a sweep.

    Heads and calibrations share the scores of one encoder, and so do modes that read it together with others.
    """

    readings: CachedReadings
    """The N training rows."""
    folder: Path
    """The folder where scores are kept."""
    note: Note = no_note
    """Is told the progress."""

    def __call__(self, chooser: LayerChooser, reading: Reading, probe: Probe) -> ProbeTable:
        """Score the layers of an encoder; see `signals.contract.Score`."""
        readings = self.readings.select(probe.rows)
        facts = {
            "layers": store(chooser)[0],
            "cache": self.readings.library.open(reading).identity.to_attributes(),
            "queries": readings.query_ids,
            "targets": list(probe.task.targets),
            "seed": probe.task.seed,
        }

        def score(remember: Remember) -> ProbeTable:
            with progress_bar(f"layers of {reading.name}", self.note) as report:
                task = replace(probe.task, remember=remember)
                return chooser.score(readings.source(reading), task, report)

        return remembered_table(self.folder, digest(facts, probe.task.labels, probe.task.folds), score)


def make_features(
    signal: Signal,
    readings: CachedReadings,
    data: RunData,
    memo: Path,
    nested: bool,
    seed: int,
    note: Note = no_note,
) -> Features:
    """Fit a signal inside every group, and transform all rows.

    Args:
        signal: a signal that is not fitted yet.
        readings: readings of all rows of the outcome table.
        data: the run's rows.
        memo: folder of remembered scores of layers.
        nested: choose layers separately inside each group, on that group's rows only (DESIGN section 7).
        seed: seed of the layer choice.
        note: is told the progress.
    """
    start = time.perf_counter()
    outcomes, groups = data.outcomes, data.groups
    training, predicted = readings.select(groups.rows), readings.select(data.predict_rows)
    fitting = Fitting(
        masks=groups.fit,
        correct=outcomes.correct[groups.rows],
        duplicates=outcomes.duplicates[groups.rows],
        threshold=outcomes.correct_threshold,
        probes=_probes(data, nested, seed),
        score=RememberedScores(training, memo, note),
    )
    train = signal.fit_transform(training, fitting)
    predict, extras = signal.transform(predicted), signal.extras(training)
    return Features(train, predict, extras, signal, {"features": time.perf_counter() - start})


def _probes(data: RunData, nested: bool, seed: int) -> tuple[Probe, ...]:
    """One layer choice on all training rows and, if nested, one more inside each fold's group."""
    outcomes, groups = data.outcomes, data.groups
    labels = outcomes.labels[groups.rows]
    everyone = np.arange(len(groups.rows))
    probes = [Probe(everyone, ProbeTask(labels, groups.folds, outcomes.targets, seed))]
    if nested:
        for fit in groups.fit[1:]:
            rows = np.flatnonzero(fit)
            num_folds = int(groups.folds.max()) + 1
            inner = stratified_folds(outcomes, groups.rows[rows], num_folds=num_folds, seed=seed)
            probes.append(Probe(rows, ProbeTask(labels[rows], inner, outcomes.targets, seed)))
    return tuple(probes)
