"""`prefillroute perplexity language_model=X pool=Y`: bring what a language model makes of the queries into a cache."""

import argparse


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
    parser.set_defaults(work="perplexity", config_name="perplexity")
