"""Trains what a run's predictor consists of: a head on a signal, once for each such pair."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from prefillroute.caches.identity import CacheIdentity
from prefillroute.calibration.contract import Calibrator
from prefillroute.config.build import build
from prefillroute.config.compose import fact, read_fact
from prefillroute.config.facts import PathsConfig
from prefillroute.data.folded import FoldedData
from prefillroute.heads.contract import Head
from prefillroute.modules.ensemble import send_epochs
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.predictors.contract import Logits, Node, Prediction, Predictor
from prefillroute.predictors.single import SinglePredictor
from prefillroute.readings.cached import CachedReadings, CacheLibrary
from prefillroute.readings.contract import Reading, token_counter
from prefillroute.readings.reader import reader_of
from prefillroute.readings.recorded import Recorder
from prefillroute.training.confidences import calibrate, predict_logits
from prefillroute.training.data import RunData
from prefillroute.training.features import Features, make_features
from prefillroute.training.progress import Note, no_note
from prefillroute.training.shared import Shared, key_of, stamp

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFacts:
    """The facts of models: from the run's configuration with its overrides, or for other models from their files."""

    config: DictConfig

    def __call__(self, group: str, name: str) -> Any:
        """The facts of a model."""
        form, node = reader_of(group).form, self.config.get(group)
        if node is not None and node.name == name:
            return fact(node, form)
        return read_fact(group, name, form)


class RunWorkshop:
    """Trains predictors on the data of one run, or reuses those of the sweep's earlier jobs.

    Args:
        config: the run's configuration.
        data: the run's rows.
        shared: work of earlier jobs.
        logger: receives the losses of every epoch.
        checkpoints: folder of checkpoints, from which an interrupted training continues.
        note: is told the progress.
    """

    def __init__(
        self,
        config: DictConfig,
        data: RunData,
        shared: Shared,
        logger: Logger | None = None,
        checkpoints: Path | None = None,
        note: Note = no_note,
    ) -> None:
        self.config, self.data, self.shared = config, data, shared
        self._logger, self._checkpoints, self._note = logger, checkpoints, note
        self._caches = Path(fact(config.paths, PathsConfig).caches)

    @cached_property
    def readings(self) -> CachedReadings:
        """The readings of all rows of the outcome table."""
        queries, pool = self.data.outcomes.queries, self.data.pool.name
        return CachedReadings(CacheLibrary(self._caches, queries, RunFacts(self.config), pool))

    def features(self, node: Node) -> Features:
        """Features of a signal, fitted inside every group."""
        return self.shared.features.get(self._feature_key(node), lambda: self._make_features(node))

    def predict(self, signal: Node, head: Node, logged: bool = False) -> Prediction:
        """Train a head on a signal, and predict all rows; see `predictors.contract.Workshop`."""
        key = key_of(self._feature_key(signal), head, self.config.trainer)
        trained: list[Prediction] = []

        def train() -> Prediction:
            trained.append(self._train(signal, head, logged))
            return trained[0]

        prediction = self.shared.predictions.get(key, train)
        if (
            logged and self._logger is not None and not trained
        ):  # an earlier job trained it, with a logger of its own
            send_epochs(prediction.history, [self._logger])
        return prediction

    def query_tokens(self, predictor: Predictor) -> np.ndarray | None:
        """The number (Q,) of tokens of the bare queries, by the tokenizer of the first encoder that a predictor reads.

        It is None if the predictor reads no encoder.
        """
        counter = token_counter(self._read_by(predictor))
        return None if counter is None else self.readings.query_tokens(counter)

    def obstacles(self, predictor: Predictor) -> list[str]:
        """Why models that a predictor reads cannot be run on new queries, one line for each."""
        reasons = []
        for reading in self._read_by(predictor):
            opened = self.readings.library.open(reading)
            reason = reader_of(reading.group).obstacle(opened.facts, opened.identity)
            reasons += [] if reason is None else [f"{reading}: {reason}"]
        return reasons

    def caches(self, predictor: Predictor) -> dict[Path, CacheIdentity]:
        """What made each cache that a predictor reads, by the cache's index file."""
        library = self.readings.library
        return {library.path(reading): library.open(reading).identity for reading in self._read_by(predictor)}

    def _read_by(self, predictor: Predictor) -> list[Reading]:
        """What a predictor reads of a new query, in order; this is found out by letting it read one."""
        recorder = Recorder(self.readings.select(self.data.predict_rows[-1:]))
        predictor.logits(recorder)
        return list(recorder.kept.cells)

    def calibrated(self, calibration: Node, logits: Logits) -> tuple[Calibrator, np.ndarray, np.ndarray]:
        """See `predictors.contract.Workshop`."""
        calibrator: Calibrator = build(calibration)
        return calibrator, *calibrate(calibrator, logits, self.data)

    def fit(self, signal: Node, node: Node, logged: bool = False) -> tuple[Features, FittedHead]:
        """Fit a head on a signal in every group, without looking for work of earlier jobs.

        Args:
            signal: choice node.
            node: choice node of the head.
            logged: whether the run's logger gets the losses.

        Raises:
            UserError: the head cannot read the features of this signal.
        """
        features = self.features(signal)
        settings, groups, outcomes = build(self.config.trainer), self.data.groups, self.data.outcomes
        head: Head = build(
            node,
            layout=features.signal.layout_,
            num_targets=len(self.data.targets),
            num_groups=len(features.train),
            num_members=settings.num_members,
            seed=self.config.seed,
        )
        data = FoldedData(
            features=torch.from_numpy(features.train),
            correct=torch.from_numpy(outcomes.correct[groups.rows].astype(np.float32)),
            train=torch.from_numpy(groups.train),
            valid=torch.from_numpy(groups.valid),
            extras={name: torch.from_numpy(features.extras[name]) for name in head.reads_extras},
            threshold=outcomes.correct_threshold,
        )
        calibration = None
        if len(part := self.data.split.calibration):  # the first of the rows that are only predicted
            calibration = (
                torch.from_numpy(features.predict[: len(part)]),
                torch.from_numpy(outcomes.correct[part].astype(np.float32)),
            )
        own = None if self._checkpoints is None else self._checkpoints / key_of(signal, node)[:16]
        fitted = fit_head(
            head, data, settings, calibration=calibration, seed=self.config.seed,
            logger=self._logger if logged else None, checkpoint_dir=own, note=self._note,
        )  # fmt: skip
        return features, fitted

    def _train(self, signal: Node, head: Node, logged: bool) -> Prediction:
        features, fitted = self.fit(signal, head, logged)
        return Prediction(
            predict_logits(fitted, features, self.data.groups),
            SinglePredictor(features.signal, fitted.final),
            features.signal.layer_choice,
            {**features.seconds, "head": fitted.seconds},
            fitted.num_fits,
            fitted.work,
            fitted.history,
        )

    def _make_features(self, node: Node) -> Features:
        config, memo = self.config, self._caches / "layer_scores"
        return make_features(
            build(node), self.readings, self.data, memo, config.nested_layers, config.seed, self._note
        )

    def _feature_key(self, node: Node) -> str:
        """A key of everything that features are made of, which includes size and modification time of the caches."""
        readings = build(node).reads()
        stamps = [(str(each), stamp(self.readings.library.path(each))) for each in readings]
        facts = [self.readings.library.facts(each) for each in readings]
        return key_of(self.data.key, node, self.config.nested_layers, stamps, facts)
