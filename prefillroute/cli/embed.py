"""`prefillroute embed embedder=X pool=Y`: bring the sentence vectors of a pool's queries into a cache."""

import argparse
from pathlib import Path

from prefillroute.cli.fill import fill_cache
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EmbedderConfig
from prefillroute.semantic.embedder import SentenceEmbedder
from prefillroute.semantic.vectors_file import VectorsFile


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "embed",
        help="run a sentence embedder over a pool's queries and cache the vectors",
        description="Embed a pool's queries with sentence-transformers: what signal=embedding and signal=knn read. "
        "Cached as activations are: interrupted, the same command goes on; array jobs share the work with "
        "extraction.num_shards=N extraction.shard_index=I.",
        epilog="examples: prefillroute embed embedder=minilm pool=starter; "
        "prefillroute embed embedder=nv_embed_v2 pool=mmlu_pro vectors=nv_embed.parquet",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="embedder=..., pool=..., vectors=FILE (made elsewhere: columns prompt_sha256 and embedding); of "
        "extraction: device, dtype, tokens_per_batch, max_length, num_shards, shard_index, verify",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Embed and print what was done."""
    config = compose_run(arguments.overrides, config_name="embed")
    facts = fact(config.embedder, EmbedderConfig)
    if config.vectors is not None:
        return fill_cache(
            config, lambda options: VectorsFile(facts, Path(config.vectors)), arguments.overrides
        )
    return fill_cache(config, lambda options: SentenceEmbedder(facts, options), arguments.overrides)
