"""The router: takes a query and returns a target."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np

from prefillroute.errors import UserError
from prefillroute.router.decision import Decision
from prefillroute.router.encoding import QueryEncoder
from prefillroute.router.load import Parts, load_parts
from prefillroute.router.policies import GUARDED, describe
from prefillroute.router.queries import check_prompt
from prefillroute.routing.policies.contract import Policy
from prefillroute.text.hints import listed

# N = queries, M = targets, H = width of a block's layers side by side

QUERIES_AT_ONCE = 1024
"""Bounds the memory of a batch: the activations of all blocks are held for this many queries."""


class Router:
    """Routes queries with a trained bundle. Create one with `Router.load(folder)`; the encoder is loaded on first use.

    Example::

        router = Router.load(Path("runs/first/router"))
        router.route("What is 2 + 2?", policy=LambdaPolicy(0.3)).target
    """

    def __init__(self, parts: Parts, encoder: QueryEncoder) -> None:
        self.manifest = parts.manifest
        self.predictor = parts.predictor
        self.policy, self.single = parts.policy, parts.single
        """The default policy. `single` is the target that takes every query before the policy is consulted; it is None
        if the run showed that leaving the best single target gains accuracy, or if the policy was set by the user."""
        self._cost = parts.cost
        self._encoder = encoder
        self._endpoints = [entry.facts.endpoint or entry.facts.name for entry in self.manifest.targets]

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> "Router":
        """Read a bundle, check every byte of it, and recompute its golden vectors.

        Args:
            path: folder with ``router.json`` and ``weights.safetensors``.
            device: where the encoder will run: `auto`, `cpu`, `cuda`, ...

        Raises:
            UserError: the bundle is missing, damaged or of another version, or computes something else here.
        """
        parts = load_parts(Path(path))
        encoder = QueryEncoder(parts.manifest.encoders, parts.manifest.blocks, Path(path), device)
        return cls(parts, encoder)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names in pool order."""
        return self.manifest.target_names

    @overload
    def route(
        self, query: str, policy: Policy | None = None, targets: Sequence[str] | None = None
    ) -> Decision: ...

    @overload
    def route(
        self, query: list[str], policy: Policy | None = None, targets: Sequence[str] | None = None
    ) -> list[Decision]: ...

    def route(
        self, query: str | list[str], policy: Policy | None = None, targets: Sequence[str] | None = None
    ) -> Decision | list[Decision]:
        """Choose a target for one query, or for each of several.

        Args:
            query: one text or several.
            policy: turns confidence and cost into a choice. The default is the bundle's own policy, which may send
                every query to one target (see `single`).
            targets: choose among these only.

        Raises:
            UserError: a prompt is empty, a target is unknown, or the encoder is not the bundle's.
        """
        single = isinstance(query, str)
        prompts = [query] if isinstance(query, str) else query
        for number, prompt in enumerate(prompts):
            check_prompt(prompt, "query" if single else f"query {number}")
        self._columns(targets)  # before the encoder is loaded
        decisions = []
        for start in range(0, len(prompts), QUERIES_AT_ONCE):
            encoded = self._encoder(prompts[start : start + QUERIES_AT_ONCE])
            decisions += self.route_activations(
                encoded.activations,
                encoded.query_tokens,
                policy=policy,
                targets=targets,
                encoder_tokens=encoded.encoder_tokens,
                truncated=encoded.truncated,
            )
        return decisions[0] if single else decisions

    def route_activations(
        self,
        activations: Sequence[np.ndarray],
        query_tokens: np.ndarray,
        policy: Policy | None = None,
        targets: Sequence[str] | None = None,
        encoder_tokens: np.ndarray | None = None,
        truncated: np.ndarray | None = None,
    ) -> list[Decision]:
        """Do everything that comes after the encoder's forward pass.

        Args:
            activations: one (N, H) array per block, in the order of ``manifest.blocks``.
            query_tokens: (N,) tokens of the bare queries, for the cost estimate.
            policy: the bundle's own by default.
            targets: choose among these only.
            encoder_tokens: (N,) tokens fed; only reported.
            truncated: (N,) bool; only reported.

        Raises:
            UserError: the activations do not fit the blocks, or a target is unknown.
        """
        columns = self._columns(targets)
        confidence = self.predictor(activations)
        cost = self._cost.estimate(len(query_tokens), np.asarray(query_tokens))
        if columns is not None:
            confidence, cost = confidence[:, columns], cost[:, columns]
        numbers = range(len(self.targets)) if columns is None else columns
        names = [self.targets[number] for number in numbers]
        if policy is None and self.single in names:
            chosen, words = [names.index(self.single)] * len(cost), GUARDED
        else:
            policy = policy or self.policy
            chosen = policy.choose(confidence, cost, self.manifest.cost_range).tolist()
            words = describe(policy)
        endpoints = [self._endpoints[number] for number in numbers]
        count = len(chosen)
        fed = query_tokens if encoder_tokens is None else encoder_tokens
        cut = np.zeros(count, dtype=bool) if truncated is None else truncated
        rows = zip(
            chosen,
            confidence.tolist(),
            cost.tolist(),
            np.asarray(query_tokens).tolist(),
            np.asarray(fed).tolist(),
            np.asarray(cut).tolist(),
            strict=True,
        )
        return [
            Decision(
                target=names[index],
                endpoint=endpoints[index],
                confidence=dict(zip(names, p, strict=True)),
                cost_usd=dict(zip(names, c, strict=True)),
                policy=words,
                query_tokens=bare,
                encoder_tokens=tokens,
                truncated=was_cut,
            )
            for index, p, c, bare, tokens, was_cut in rows
        ]

    def _columns(self, targets: Sequence[str] | None) -> list[int] | None:
        """Indices of the allowed targets in pool order; None means all."""
        if targets is None:
            return None
        known = self.targets
        unknown = [name for name in targets if name not in known]
        if unknown or not targets:
            raise UserError(
                f"targets: expected some of the router's {listed(known)}, found '{listed(unknown)}'"
            )
        return [number for number, name in enumerate(known) if name in set(targets)]
