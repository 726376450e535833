"""`prefillroute collect pool=X benchmark=Y`: ask every target of a pool, score the answers, write the outcomes."""

import argparse

from prefillroute.harness import command


def run(arguments: argparse.Namespace) -> int:
    """Run the harness."""
    return command.run(arguments.overrides, arguments.dry_run)
