"""`prefillroute embed embedder=X pool=Y`: bring the sentence vectors of a pool's queries into a cache."""

import argparse


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
    parser.set_defaults(work="embed", config_name="embed")
