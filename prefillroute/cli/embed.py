"""`prefillroute embed embedder=X pool=Y`: bring the sentence vectors of a pool's queries into a cache."""

import argparse
from pathlib import Path

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import fact
from prefillroute.config.facts import EmbedderConfig
from prefillroute.semantic.embedder import SentenceEmbedder
from prefillroute.semantic.vectors_file import VectorsFile


def run(arguments: argparse.Namespace) -> int:
    """Embed and print what was done."""
    config = arguments.config
    facts = fact(config.embedder, EmbedderConfig)
    if config.vectors is not None:
        return fill_cache(
            config, lambda options: VectorsFile(facts, Path(config.vectors)), arguments.overrides
        )
    return fill_cache(config, lambda options: SentenceEmbedder(facts, options), arguments.overrides)
