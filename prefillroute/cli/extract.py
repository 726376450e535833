"""`prefillroute extract encoder=X pool=Y`: bring a pool's queries into an encoder's activation cache."""

import argparse

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.encoder import PrefillEncoder


def run(arguments: argparse.Namespace) -> int:
    """Extract and print what was done."""
    config = compose_run(arguments.overrides, config_name="extract")
    facts = fact(config.encoder, EncoderConfig)
    return fill_cache(config, lambda options: PrefillEncoder(facts, options), arguments.overrides)
