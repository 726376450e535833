"""`prefillroute train`: train and evaluate a router. Its arguments are Hydra's."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to the list of commands; Hydra reads what follows it."""
    parser = subparsers.add_parser(
        "train",
        help="train and evaluate a router, or with -m a sweep of them (in a checkout also: python train.py)",
        add_help=False,
    )
    parser.set_defaults(work="train")
