"""Encoders, whose prefill activations are read layer by layer (`prefillroute extract`)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.config.facts import PROMPT_FORMATS, EncoderConfig
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.readings import reader
from prefillroute.readings.contract import Cell


class Reader(reader.Reader):
    """The group `encoder`."""

    form = EncoderConfig

    def cache(self, caches: Path, facts: EncoderConfig) -> Path:
        """The cache of the encoder's prompt format; if none is set, an existing cache, `chat` before `plain`."""
        if facts.prompt_format is not None:
            return cache_path(caches, facts.name, facts.prompt_format)
        chat, plain = (cache_path(caches, facts.name, prompt_format) for prompt_format in PROMPT_FORMATS)
        return plain if plain.exists() and not chat.exists() else chat

    def check(self, identity: CacheIdentity, path: Path, facts: EncoderConfig) -> None:
        """See `readings.reader.Reader.check`."""
        identity.check_facts(
            path,
            name=facts.name,
            num_layers=facts.num_layers,
            hidden_size=facts.hidden_size,
            chat_template_kwargs=facts.chat_template_kwargs,
            repo=facts.repo,
            revision=facts.revision,
        )

    def settled(self, facts: EncoderConfig, identity: CacheIdentity) -> EncoderConfig:
        """The facts, with the prompt format of the cache if they leave it open."""
        return replace(facts, prompt_format=identity.prompt_format)

    def load(
        self, facts: EncoderConfig, identity: CacheIdentity, cells: Sequence[Cell], device: str
    ) -> TransformersBackend:
        """See `readings.reader.Reader.load`."""
        layers, poolings = zip(*cells, strict=True)
        return TransformersBackend.from_identity(facts, identity, layers, poolings, device)
