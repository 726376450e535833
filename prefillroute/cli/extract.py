"""`prefillroute extract encoder=X pool=Y`: bring a pool's queries into an encoder's activation cache."""

import argparse

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.encoder import PrefillEncoder


def run(arguments: argparse.Namespace) -> int:
    """Extract and print what was done."""
    config = arguments.config
    facts = fact(config.encoder, EncoderConfig)
    return fill_cache(config, lambda options: PrefillEncoder(facts, options), arguments.overrides)
