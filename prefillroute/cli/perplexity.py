"""`prefillroute perplexity language_model=X pool=Y`: bring what a language model makes of the queries into a cache."""

import argparse
from pathlib import Path

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import LanguageModelConfig, PathsConfig, PoolConfig
from prefillroute.extraction.progress import extraction_progress
from prefillroute.extraction.run import extract
from prefillroute.outcomes.pool import load_pool
from prefillroute.semantic.language_model import LanguageModelReader


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "perplexity",
        help="run a causal language model over a pool's queries and cache perplexity and rated difficulty",
        description="Read a pool's queries with a frozen language model: mean log-probability, perplexity, greatest "
        "surprise and entropy (signal=perplexity), and how hard the model rates each query (soft labels of "
        "head.difficulty_labels=judge). Interrupted, the same command goes on; array jobs share the work with "
        "extraction.num_shards=N extraction.shard_index=I.",
        epilog="example: prefillroute perplexity language_model=gpt2 pool=mmlu_pro",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="language_model=..., pool=...; of extraction: device, dtype, tokens_per_batch, max_length, num_shards, "
        "shard_index, verify",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read and print what was done."""
    config = compose_run(arguments.overrides, config_name="perplexity")
    pool = fact(config.pool, PoolConfig)
    _, outcomes = load_pool(
        pool.targets, pool.outcomes, pool.exclude, pool.correct_threshold, pool.max_queries, pool.import_hint
    )
    options = build(config.extraction)
    reader = LanguageModelReader(fact(config.language_model, LanguageModelConfig), options)
    queries = outcomes.queries
    with extraction_progress() as progress:
        report = extract(
            reader,
            queries["query_id"].tolist(),
            queries["prompt"].tolist(),
            Path(fact(config.paths, PathsConfig).caches),
            options,
            progress,
        )
    print("\n".join(report.lines()))
    return 0
