"""`prefillroute report FOLDER`: rebuilds the report of a run, or the summary of a sweep, from its folder alone."""

import argparse

from prefillroute.reports.report import write_report
from prefillroute.reports.sweep import is_sweep, summarise_sweep
from prefillroute.text.printing import say


def run(arguments: argparse.Namespace) -> int:
    """Write the pages and print where they are; a sweep's failed jobs are listed, but do not change the status."""
    if is_sweep(arguments.folder):
        summarise_sweep(arguments.folder, arguments.sort_by)
        say(str(arguments.folder / "summary.html"))
    else:
        say(str(write_report(arguments.folder)))
    return 0
