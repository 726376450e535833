"""Causal language models, whose perplexity and rating of each query are read (`prefillroute perplexity`)."""

from collections.abc import Sequence
from pathlib import Path

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.config.facts import LanguageModelConfig
from prefillroute.readings import reader
from prefillroute.readings.contract import Cell
from prefillroute.semantic.language_model import COLUMNS, LanguageModelReader


class Reader(reader.Reader):
    """The group `language_model`."""

    form = LanguageModelConfig

    def cache(self, caches: Path, facts: LanguageModelConfig) -> Path:
        """The cache of plain prompts, which language models are always given."""
        return cache_path(caches, f"language_model.{facts.name}", "plain")

    def check(self, identity: CacheIdentity, path: Path, facts: LanguageModelConfig) -> None:
        """See `readings.reader.Reader.check`."""
        identity.check_facts(
            path,
            name=f"language_model.{facts.name}",
            num_layers=0,
            hidden_size=len(COLUMNS),
            chat_template_kwargs={},
            repo=facts.repo,
            revision=facts.revision,
        )

    def load(
        self, facts: LanguageModelConfig, identity: CacheIdentity, cells: Sequence[Cell], device: str
    ) -> LanguageModelReader:
        """See `readings.reader.Reader.load`."""
        layers, poolings = zip(*cells, strict=True)
        return LanguageModelReader.from_identity(facts, identity, layers, poolings, device)
