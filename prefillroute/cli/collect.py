"""`prefillroute collect pool=X benchmark=Y`: asks every target of a pool, scores the answers, writes the outcomes."""

import argparse

from prefillroute.harness import command


def run(arguments: argparse.Namespace) -> int:
    """Run the harness."""
    return command.run(arguments.overrides, arguments.dry_run)
