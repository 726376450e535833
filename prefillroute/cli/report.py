"""`prefillroute report RUN_DIR`: rebuild figures and report.html of a finished run from its folder alone."""

import argparse
from pathlib import Path

from prefillroute.reports.report import write_report


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="rebuild figures and report.html of a run",
        description="Rebuild figures/ and report.html from a run folder alone; nothing is trained again.",
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="run folder, as train.py wrote it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report and print its path."""
    print(write_report(arguments.run_dir))
    return 0
