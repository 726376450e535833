"""The commands that are Hydra applications: their arguments are Hydra's, see `cli.apps`."""

import argparse

HELP = {
    "extract": "run an encoder over a pool's queries and cache what its layers say",
    "embed": "run a sentence embedder over a pool's queries and cache the vectors",
    "perplexity": "run a causal language model over a pool's queries and cache perplexity and rated difficulty",
    "train": "train and evaluate a router, or with -m a sweep of them (in a checkout also: python train.py)",
}
"""Command -> its line in the list of commands. `cli.apps` has a function of each name."""
ROOTS = {command: "config" if command == "train" else command for command in HELP}
"""Command -> its root file in `conf/`."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the list; Hydra reads what follows them."""
    for command, line in HELP.items():
        subparsers.add_parser(command, help=line, add_help=False)
