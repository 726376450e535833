"""Sentence embedders, whose one vector for each query is read (`prefillroute embed`)."""

from collections.abc import Sequence
from pathlib import Path

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.config.facts import EmbedderConfig
from prefillroute.readings import reader
from prefillroute.readings.contract import Cell
from prefillroute.semantic.embedder import ELSEWHERE, SentenceEmbedder


class Reader(reader.Reader):
    """The group `embedder`."""

    form = EmbedderConfig

    def cache(self, caches: Path, facts: EmbedderConfig) -> Path:
        """The cache of plain prompts, which embedders are always given."""
        return cache_path(caches, f"embedder.{facts.name}", "plain")

    def check(self, identity: CacheIdentity, path: Path, facts: EmbedderConfig) -> None:
        """See `readings.reader.Reader.check`."""
        identity.check_facts(
            path,
            name=f"embedder.{facts.name}",
            num_layers=0,
            hidden_size=facts.dimension,
            chat_template_kwargs={},
            repo=facts.repo,
            revision=facts.revision,
        )

    def obstacle(self, facts: EmbedderConfig, identity: CacheIdentity) -> str | None:
        """Why the embedder cannot be run: vectors that came from a file are known only for the queries of that file."""
        if facts.own_environment or identity.compute_dtype == ELSEWHERE:
            return "its vectors came from a file, which has none of new queries"
        return None

    def load(
        self, facts: EmbedderConfig, identity: CacheIdentity, cells: Sequence[Cell], device: str
    ) -> SentenceEmbedder:
        """See `readings.reader.Reader.load`."""
        layers, poolings = zip(*cells, strict=True)
        return SentenceEmbedder.from_identity(facts, identity, layers, poolings, device)
