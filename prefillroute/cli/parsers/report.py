"""`prefillroute report FOLDER`: declares the command."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="rebuild the report of a run or the summary of a sweep",
        description="Rebuild figures/ and report.html of a run, or summary.csv and summary.html of a sweep, "
        "from what is in its folder; nothing is trained again.",
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="run folder or sweep folder, as `prefillroute train` wrote it",
    )
    parser.add_argument(
        "--sort-by",
        default="mean_auc",
        metavar="METRIC",
        help="metric to sort a sweep's table by (default: mean_auc)",
    )
    parser.set_defaults(work="report")
