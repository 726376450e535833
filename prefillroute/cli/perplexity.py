"""`prefillroute perplexity language_model=X pool=Y`: bring what a language model makes of the queries into a cache."""

import argparse

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import fact
from prefillroute.config.facts import LanguageModelConfig
from prefillroute.semantic.language_model import LanguageModelReader


def run(arguments: argparse.Namespace) -> int:
    """Read and print what was done."""
    config = arguments.config
    facts = fact(config.language_model, LanguageModelConfig)
    return fill_cache(config, lambda options: LanguageModelReader(facts, options), arguments.overrides)
