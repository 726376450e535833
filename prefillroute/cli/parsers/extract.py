"""`prefillroute extract encoder=X pool=Y`: bring a pool's queries into an encoder's activation cache."""

import argparse


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
        "overrides", nargs="*", metavar="KEY=VALUE", help="as for train: encoder=..., pool=..."
    )
    parser.set_defaults(work="extract", config_name="extract")
