"""Turns a signal and a head into logits: what a run trains, once for each predictor that it consists of."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.caches.reader import CacheView
from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import (
    EmbedderConfig,
    EncoderConfig,
    LanguageModelConfig,
    PathsConfig,
)
from prefillroute.data.folded import FoldedData
from prefillroute.heads.blend import Blend, blended_logit
from prefillroute.heads.contract import ClosedFormHead, Head
from prefillroute.heads.layout import NUMBERS, Layout
from prefillroute.heads.multi_task import DIFFICULTY
from prefillroute.layers.choice import LayerChoice
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.signals.inputs import Signal
from prefillroute.training.activations import (
    activations_path,
    open_activations,
    open_embedding,
    open_language_model,
)
from prefillroute.training.confidences import Logits, calibrate, predict_logits
from prefillroute.training.data import RunData
from prefillroute.training.features import Features, LayerChooser, QueryTable, make_features
from prefillroute.training.shared import Shared, key_of, stamp

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """A trained predictor's logits, and what it was made of."""

    logits: Logits
    choice: LayerChoice | None
    signal: Signal | None
    """The fitted head; None if the predictor is an average of others, and so is the next field."""
    fitted: FittedHead | None
    seconds: Mapping[str, float]
    """Wall time taken to make features and head."""
    fits: int
    """Number of nets, forests or regressions trained: groups x members, times targets if each target has its own."""


class Predictors:
    """Trains the predictors of one run, or reuses those of the sweep's earlier jobs.

    Args:
        config: the run's configuration.
        data: the run's rows.
        shared: work of earlier jobs.
    """

    def __init__(self, config: DictConfig, data: RunData, shared: Shared) -> None:
        self.config, self.data, self.shared = config, data, shared
        self.caches = Path(fact(config.paths, PathsConfig).caches)

    @cached_property
    def encoder(self) -> EncoderConfig:
        """The encoder whose prefill is read."""
        return fact(self.config.encoder, EncoderConfig)

    @cached_property
    def activations(self) -> tuple[CacheView, CacheIdentity]:
        """The encoder's cache, opened on first use."""
        view, identity = open_activations(self.caches, self.encoder, self.data.pool, self.data.outcomes)
        log.info("encoder %s: %s prompts", self.encoder.name, identity.prompt_format)
        return view, identity

    @cached_property
    def language_model(self) -> np.ndarray:
        """(Q, 5) of the language model's cache, read on first use."""
        facts = fact(self.config.language_model, LanguageModelConfig)
        return open_language_model(self.caches, facts, self.data.pool, self.data.outcomes)

    @cached_property
    def embedding(self) -> np.ndarray:
        """(Q, d) of the embedder's cache, read on first use."""
        facts = fact(self.config.embedder, EmbedderConfig)
        return open_embedding(self.caches, facts, self.data.pool, self.data.outcomes)

    def features(self, node: DictConfig) -> Features:
        """Features of a signal, fitted inside every group."""
        return self.shared.features.get(self._feature_key(node), lambda: self._make_features(node))

    def predict(
        self, signal: DictConfig, head: DictConfig, logger: Logger | None = None, folder: Path | None = None
    ) -> Prediction:
        """Train a head on a signal and predict all rows.

        Args:
            signal, head: choice nodes.
            logger: receives the losses of every epoch.
            folder: folder of checkpoints, from which an interrupted training continues.
        """
        key = key_of(self._feature_key(signal), head, self.config.trainer)
        return self.shared.predictions.get(key, lambda: self._train(signal, head, logger, folder))

    def blend(self, blend: Blend) -> Prediction:
        """Train the parts, calibrate each and average them."""
        parts = [self.predict(part["signal"], part["head"]) for part in blend.parts.values()]
        tables = [calibrate(build(blend.calibration), part.logits, self.data) for part in parts]
        own, test = (blended_logit([table[side] for table in tables]) for side in (0, 1))
        if len(self.data.split.calibration):
            logits = Logits(None, np.concatenate([own, test]))
        else:
            logits = Logits(own, test)
        seconds = {
            stage: sum(part.seconds.get(stage, 0.0) for part in parts) for stage in ("features", "head")
        }
        return Prediction(logits, None, None, None, seconds, sum(part.fits for part in parts))

    def _train(
        self, signal: DictConfig, node: DictConfig, logger: Logger | None, folder: Path | None
    ) -> Prediction:
        features = self.features(signal)
        settings, groups, outcomes = build(self.config.trainer), self.data.groups, self.data.outcomes
        head = build(
            node,
            layout=_layout(features),
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
            extras={
                name: torch.from_numpy(self.language_model[groups.rows, -1]) for name in head.reads_extras
            },
            threshold=outcomes.correct_threshold,
        )
        calibration = None
        if len(part := self.data.split.calibration):  # the first of the rows that are only predicted
            calibration = (
                torch.from_numpy(features.predict[: len(part)]),
                torch.from_numpy(outcomes.correct[part].astype(np.float32)),
            )
        fitted = fit_head(
            head, data, settings, calibration=calibration, seed=self.config.seed, logger=logger,
            checkpoint_dir=folder,
        )  # fmt: skip
        logits = predict_logits(fitted, features, groups)
        seconds = {**features.seconds, "head": fitted.seconds}
        return Prediction(logits, features.choice, features.signal, fitted, seconds, num_fits(head))

    def _make_features(self, node: DictConfig) -> Features:
        signal = build(node)
        view = chooser = embedding = perplexity = None
        if "activations" in signal.needs:
            view, identity = self.activations
            memo = self.caches / "layer_choices"
            chooser = LayerChooser(self.config.layers, view, identity, memo, self.config.seed)
        if "embedding" in signal.needs:
            embedding = self.embedding
        if "perplexity" in signal.needs:
            perplexity = self.language_model[:, :-1]
        table = QueryTable(self.data.outcomes, view, embedding, perplexity)
        return make_features(
            signal,
            table,
            self.data.groups,
            self.data.predict_rows,
            chooser,
            self.config.nested_layers,
            self.config.seed,
        )

    def _feature_key(self, node: DictConfig) -> str:
        config = self.config
        read: list[Any] = [config.encoder, config.layers, config.pooling, config.nested_layers]
        read += [config.embedder, config.language_model]
        paths = [activations_path(self.caches, self.encoder)]
        for name in (f"embedder.{config.embedder.name}", f"language_model.{config.language_model.name}"):
            paths.append(cache_path(self.caches, name, "plain"))
        stamps = [(path.name, stamp(path)) for path in paths]
        return key_of(self.data.key, node, read, stamps)


def _layout(features: Features) -> Layout:
    """What the columns of the features are; every run has a judge, its language model."""
    signal = features.signal
    return Layout(
        features.train.shape[2],
        signal.own_names,
        getattr(signal, "content", NUMBERS),
        getattr(signal, "num_nodes", 1),
        (DIFFICULTY,),
    )


def num_fits(head: Head) -> int:
    """Number of fits: per group, per member (a head with a closed-form solution has one) and per target."""
    members = 1 if isinstance(head, ClosedFormHead) else head.num_members
    return head.num_groups * members * head.fits_per_member
