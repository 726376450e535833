"""`prefillroute extract encoder=X pool=Y`: bring a pool's queries into an encoder's activation cache."""

import argparse
from pathlib import Path

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig, PathsConfig, PoolConfig
from prefillroute.extraction.encoder import PrefillEncoder
from prefillroute.extraction.progress import extraction_progress
from prefillroute.extraction.run import extract
from prefillroute.outcomes.pool import load_pool


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
    pool = fact(config.pool, PoolConfig)
    _, outcomes = load_pool(
        pool.targets, pool.outcomes, pool.exclude, pool.correct_threshold, pool.max_queries, pool.import_hint
    )
    options = build(config.extraction)
    encoder = PrefillEncoder(fact(config.encoder, EncoderConfig), options)
    caches = Path(fact(config.paths, PathsConfig).caches)
    queries = outcomes.queries
    with extraction_progress() as progress:
        report = extract(
            encoder, queries["query_id"].tolist(), queries["prompt"].tolist(), caches, options, progress
        )
    print("\n".join(report.lines()))
    return 0
