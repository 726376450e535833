"""The router: takes a query and returns a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from prefillroute.errors import UserError
from prefillroute.readings.contract import Readings
from prefillroute.readings.live import LiveModels, LiveReadings
from prefillroute.router.decision import Decision
from prefillroute.router.labels import LABELS
from prefillroute.router.load import Parts, load_parts
from prefillroute.router.policies import GUARDED, describe
from prefillroute.router.queries import check_prompt
from prefillroute.routing.policies.contract import Policy
from prefillroute.text.hints import listed

# N = queries, M = targets

QUERIES_AT_ONCE = 1024
"""Bounds the memory of a batch: what the models say is held for this many queries."""


@dataclass(frozen=True)
class Scores:
    """What a router knows of N queries before a policy decides."""

    confidence: np.ndarray
    """(N, M) calibrated probabilities of a correct answer."""
    cost_usd: np.ndarray
    """(N, M) estimates."""
    query_tokens: np.ndarray | None
    """(N,) tokens of the bare queries, on which the estimates are based; None without an encoder."""


class Router:
    """Routes queries with a trained bundle. Create one with `Router.load(folder)`; models are loaded on first use.

    Example:
        >>> from prefillroute.routing.policies.lambda_policy import LambdaPolicy
        >>> router = Router.load(bundle)  # the folder router/ of a run
        >>> decision = router.route("add 2 and 3", policy=LambdaPolicy(0.5))
        >>> decision.target, decision.ranking
        ('small', ['small', 'large'])
    """

    def __init__(self, parts: Parts, models: LiveModels) -> None:
        self.manifest = parts.manifest
        self.predictor, self.calibrator, self.cost = parts.predictor, parts.calibrator, parts.cost
        self.policy, self.single = parts.policy, parts.manifest.single
        """The default policy. `single` is the target that takes every query before the policy is consulted; it is None
        if the run showed that leaving the best single target gains accuracy, or if the policy was set by the user."""
        self._models = models
        self._endpoints = [entry.facts.endpoint or entry.facts.name for entry in parts.manifest.targets]

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> "Router":
        """Read a bundle, check every byte of it, and recompute its golden vectors.

        Args:
            path: folder with ``router.json`` and ``weights.safetensors``.
            device: where the models will run: `auto`, `cpu`, `cuda`, ...

        Raises:
            UserError: the bundle is missing, damaged or of another version, or computes something else here.
        """
        parts = load_parts(Path(path))
        return cls(parts, LiveModels(parts.manifest.models, Path(path), device, parts.golden.readings))

    @property
    def targets(self) -> tuple[str, ...]:
        """Names in pool order."""
        return self.manifest.target_names

    @property
    def columns(self) -> tuple[str, ...]:
        """What the router must be told of a query beside its text: some of `category` and `benchmark`."""
        return tuple(name for name in LABELS if name in self.manifest.columns)

    @overload
    def route(
        self,
        query: str,
        policy: Policy | None = None,
        targets: Sequence[str] | None = None,
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> Decision: ...

    @overload
    def route(
        self,
        query: list[str],
        policy: Policy | None = None,
        targets: Sequence[str] | None = None,
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> list[Decision]: ...

    def route(
        self,
        query: str | list[str],
        policy: Policy | None = None,
        targets: Sequence[str] | None = None,
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> Decision | list[Decision]:
        """Choose a target for one query, or for each of several.

        Args:
            query: one text or several.
            policy: turns confidence and cost into a choice. The default is the bundle's own policy, which may send
                every query to one target (see `single`).
            targets: choose among these only.
            columns: what `Router.columns` names, one value for each query.

        Raises:
            UserError: a prompt is empty, a target is unknown, a column is missing, or a model is not the bundle's.
        """
        single = isinstance(query, str)
        prompts = [query] if isinstance(query, str) else query
        for number, prompt in enumerate(prompts):
            check_prompt(prompt, "query" if single else f"query {number}")
        self._allowed(targets)  # before a model is loaded
        given = {"prompt": prompts, **(columns or {})}
        for name in self.columns:
            if len(given.get(name, ())) != len(prompts):
                raise UserError(
                    f"query: expected its {name}, which this router reads, for {len(prompts)} queries, found "
                    f"{len(given.get(name, ()))}; pass columns={{'{name}': [...]}}, --{name} or a file with this column"
                )
        decisions = []
        for start in range(0, len(prompts), QUERIES_AT_ONCE):
            some = {name: values[start : start + QUERIES_AT_ONCE] for name, values in given.items()}
            readings = LiveReadings(self._models, some)
            scores = self.score(readings)
            fed = [read.fed_tokens for read in readings.read.values()]
            cut = [read.truncated for read in readings.read.values()]
            none = np.zeros(len(readings), dtype=np.int64)
            decisions += self.decide(
                scores, policy, targets, sum(fed, start=none), np.any([none > 0, *cut], axis=0)
            )
        return decisions[0] if single else decisions

    def score(self, readings: Readings) -> Scores:
        """Confidence and cost of N queries at every target.

        Args:
            readings: live, or from the caches of a run.

        Raises:
            UserError: something that the predictor reads is not known of these queries.
        """
        confidence = self.calibrator.transform(self.predictor.logits(readings))
        counter = self.manifest.counter
        tokens = None if counter is None else readings.query_tokens(counter)
        cost = self.cost.estimate(len(readings), tokens)
        return Scores(confidence, cost, tokens)

    def decide(
        self,
        scores: Scores,
        policy: Policy | None = None,
        targets: Sequence[str] | None = None,
        fed_tokens: np.ndarray | None = None,
        truncated: np.ndarray | None = None,
    ) -> list[Decision]:
        """Turn scores into decisions.

        Args:
            scores: of N queries.
            policy: the bundle's own by default.
            targets: choose among these only.
            fed_tokens: (N,) tokens fed to the models; only reported.
            truncated: (N,) bool; only reported.

        Raises:
            UserError: a target is unknown.
        """
        numbers = self._allowed(targets)
        names, endpoints = (
            [every[number] for number in numbers] for every in (self.targets, self._endpoints)
        )
        confidence, cost = scores.confidence[:, numbers], scores.cost_usd[:, numbers]
        ranking = (policy or self.policy).ranking(confidence, cost, self.cost.cost_range_)
        words = describe(policy or self.policy)
        if policy is None and self.single in names:
            words, first = GUARDED, names.index(self.single)
            ranking = np.array([[first, *row[row != first]] for row in ranking])
        count = len(ranking)
        tokens = [None] * count if scores.query_tokens is None else scores.query_tokens.tolist()
        fed = tokens if fed_tokens is None else fed_tokens.tolist()
        cut = [False] * count if truncated is None else truncated.tolist()
        rows = zip(ranking.tolist(), confidence.tolist(), cost.tolist(), tokens, fed, cut, strict=True)
        return [
            Decision(
                target=names[order[0]],
                endpoint=endpoints[order[0]],
                confidence=dict(zip(names, p, strict=True)),
                cost_usd=dict(zip(names, c, strict=True)),
                ranking=[names[number] for number in order],
                policy=words,
                query_tokens=bare,
                encoder_tokens=read or 0,
                truncated=was_cut,
            )
            for order, p, c, bare, read, was_cut in rows
        ]

    def _allowed(self, targets: Sequence[str] | None) -> list[int]:
        """Numbers of the allowed targets in pool order; None means all."""
        known = self.targets
        if targets is None:
            return list(range(len(known)))
        unknown = [name for name in targets if name not in known]
        if unknown or not targets:
            raise UserError(
                f"targets: expected some of the router's {listed(known)}, found '{listed(unknown)}'"
            )
        return [number for number, name in enumerate(known) if name in set(targets)]
