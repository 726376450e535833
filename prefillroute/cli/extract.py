"""`prefillroute extract encoder=X pool=Y`: bring a pool's queries into an encoder's activation cache."""

import argparse

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.encoder import PrefillEncoder


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "extract",
        help="run an encoder over a pool's queries and cache what its layers say",
        description="Prefill a pool's queries with an encoder and cache its layers' pooled activations. "
        "Interrupted, the same command goes on; array jobs share the work with "
        "extraction.num_shards=N extraction.shard_index=I.",
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="as for train.py: encoder=..., pool=..."
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Extract and print what was done."""
    config = compose_run(arguments.overrides, config_name="extract")
    facts = fact(config.encoder, EncoderConfig)
    return fill_cache(config, lambda options: PrefillEncoder(facts, options), arguments.overrides)
