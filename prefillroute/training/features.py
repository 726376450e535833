"""Turns a signal into features: the layer choice if one is needed, then scaler and PCA per group.

N = training rows, P = rows that are only predicted, G = groups, D = features.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.reader import CacheView
from prefillroute.digest import digest
from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.memo import remembered_table
from prefillroute.layers.source import RowSubset
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.contract import Mode
from prefillroute.outcomes.folds import stratified_folds
from prefillroute.outcomes.table import Outcomes
from prefillroute.signals.inputs import Signal, SignalInputs
from prefillroute.spec import store
from prefillroute.training.groups import Groups
from prefillroute.training.progress import progress_bar


@dataclass(frozen=True)
class Features:
    """The features that the head reads."""

    train: np.ndarray
    """(G, N, D) float32: the training rows under the transform of each group."""
    predict: np.ndarray
    """(P, D) float32: calibration and test rows under the final transform."""
    signal: Signal
    """The fitted signal; group 0 goes into the bundle."""
    choice: LayerChoice | None
    """The layer choice of group 0; None for a signal without layers."""
    seconds: Mapping[str, float]
    """Wall time taken to make the features."""


@dataclass(frozen=True)
class QueryTable:
    """All that signals may read of the Q queries of the outcome table."""

    outcomes: Outcomes
    view: CacheView | None = None
    embedding: np.ndarray | None = None
    """(Q, d)"""
    perplexity: np.ndarray | None = None
    """(Q, 4)"""

    def inputs(
        self, rows: np.ndarray, choices: tuple[LayerChoice, ...] = (), fitting: bool = False
    ) -> SignalInputs:
        """The given rows as signals see them; their outcomes are included only for fitting."""
        queries = self.outcomes.queries
        activations: Mapping[str, RowSubset] = {}
        if self.view is not None:
            activations = {self.view.encoder: RowSubset(self.view, rows)}
        return SignalInputs(
            categories=queries["category"].to_numpy(dtype=object)[rows],
            benchmarks=queries["benchmark"].to_numpy(dtype=object)[rows],
            prompts=queries["prompt"].to_numpy(dtype=object)[rows],
            activations=activations,
            choices=choices,
            embedding=None if self.embedding is None else self.embedding[rows],
            perplexity=None if self.perplexity is None else self.perplexity[rows],
            correct=self.outcomes.correct[rows] if fitting else None,
            groups=self.outcomes.groups[rows] if fitting else None,
            threshold=self.outcomes.correct_threshold,
        )


class LayerChoices:
    """The choice of layers on training rows, whose scores are remembered between the jobs of a sweep.

    Args:
        mode: which encoder serves which target.
        chooser: the layer strategy.
        view: activations of all queries of the table.
        identity: identity of the cache; remembered scores depend on it.
        memo: folder of remembered scores.
        seed: seed of folds and permutations.
    """

    def __init__(
        self,
        mode: Mode,
        chooser: LayerChooser,
        view: CacheView,
        identity: CacheIdentity,
        memo: Path,
        seed: int,
    ) -> None:
        self.mode, self.chooser, self.view, self.identity = mode, chooser, view, identity
        self.memo, self.seed = memo, seed

    def __call__(self, outcomes: Outcomes, rows: np.ndarray, folds: np.ndarray) -> LayerChoice:
        """Choose on ``rows`` (N,) of the table with ``folds`` (N,)."""

        def score(encoder: str, task: ProbeTask) -> ProbeTable:
            if encoder != self.view.encoder:
                raise UserError(
                    f"mode: expected the encoder that is read, {self.view.encoder}, found {encoder}"
                )
            facts: dict[str, Any] = {
                "layers": store(self.chooser)[0],
                "cache": self.identity.to_attributes(),
                "queries": [self.view.query_ids[row] for row in rows],
                "targets": task.targets,
                "seed": task.seed,
            }

            def make() -> ProbeTable:
                with progress_bar(f"layers of {encoder}") as report:
                    return self.chooser.score(RowSubset(self.view, rows), task, report)

            return remembered_table(self.memo, digest(facts, task.labels, task.folds), make)

        task = ProbeTask(outcomes.labels[rows], folds, outcomes.targets, self.seed)
        return self.mode.choose(self.chooser, score, task)


def make_features(
    signal: Signal,
    table: QueryTable,
    groups: Groups,
    predict_rows: np.ndarray,
    chooser: LayerChoices | None,
    nested: bool,
    seed: int,
) -> Features:
    """Choose layers on the training rows, fit the signal inside each group, transform all rows.

    Args:
        nested: choose layers separately inside each group, on that group's rows only (DESIGN section 7).
    """
    start = time.perf_counter()
    outcomes = table.outcomes
    choices: tuple[LayerChoice, ...] = ()
    if chooser is not None:
        choices = (chooser(outcomes, groups.rows, groups.folds),)
        if nested:
            choices += tuple(
                _inner_choice(chooser, outcomes, groups.rows[fit], groups, seed) for fit in groups.fit[1:]
            )
    train = signal.fit_transform(table.inputs(groups.rows, choices, fitting=True), groups.fit)
    predict = signal.transform(table.inputs(predict_rows))
    seconds = {"features": time.perf_counter() - start}
    return Features(train, predict, signal, choices[0] if choices else None, seconds)


def _inner_choice(
    chooser: LayerChoices, outcomes: Outcomes, rows: np.ndarray, groups: Groups, seed: int
) -> LayerChoice:
    inner = stratified_folds(outcomes, rows, num_folds=int(groups.folds.max()) + 1, seed=seed)
    return chooser(outcomes, rows, inner)
