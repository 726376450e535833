"""`prefillroute import LAYOUT PATH...`: turns public results or your own log into an outcome folder."""

import argparse
from pathlib import Path

import pandas as pd
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from prefillroute.cli.dispatch import load
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.outcomes.files import OUTCOMES_FILE, write_outcomes
from prefillroute.outcomes.importers.collector import Collector, ImportReport
from prefillroute.outcomes.importers.contract import Given, importer_of
from prefillroute.outcomes.importers.layout import Layout, known_layouts
from prefillroute.outcomes.importers.skeleton import (
    SKELETON_FILE,
    is_completed,
    pool_name,
    pool_skeleton,
)
from prefillroute.text import hints
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen, Words


def run(args: argparse.Namespace) -> int:
    """Import outcomes, write them, and print what was taken and what was left out."""
    layout = known_layouts()[args.layout]
    importer = importer_of(layout, load(f"outcomes.importers.{layout.reader}"))
    for path in args.paths:
        if not path.exists():
            raise UserError(f"{path}: expected {layout.what}, found no such file or folder")
    given = Given.at(args.paths, importer.find)
    options = {option.argument: getattr(args, option.argument) for option in layout.options}
    collector = Collector()
    columns = (Words(), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Screen(stderr=True), transient=True) as progress:
        task = progress.add_task("import", total=sum(file.stat().st_size for file in given.files))
        importer.read(given, collector, lambda size: progress.advance(task, size), **options)
    queries, outcomes = collector.frames()
    if outcomes.empty:
        reasons = "; ".join(
            f"{reason}: {entry.count}, the first: {entry.example}"
            for reason, entry in collector.skipped.items()
        )
        raise UserError(
            f"{args.paths[0]}: expected outcomes, found none that could be read ({reasons or 'no records'})"
        )
    write_outcomes(args.out, queries, outcomes)
    _print(collector.report(outcomes), args.out)
    if layout.folder is None:  # it has no pool in conf/ yet
        _write_skeleton(args, layout, outcomes)
    return 0


def _write_skeleton(args: argparse.Namespace, layout: Layout, outcomes: pd.DataFrame) -> None:
    skeleton = args.out / SKELETON_FILE
    if is_completed(skeleton):
        say(f"note: {skeleton} has prices and stays as it is; delete it to get a new one")
    else:
        command = hints.command(*_words(args, layout))
        targets = list(outcomes["target"].unique())
        write_text(skeleton, pool_skeleton(args.out, targets, command, outcomes.columns))
    say(f"next: complete {skeleton} and copy it to conf/pool/{pool_name(args.out)}.yaml")


def _words(args: argparse.Namespace, layout: Layout) -> list[str | Path]:
    """The words of the command that made the table, for the message if the table is ever missing."""
    words: list[str | Path] = ["prefillroute", "import", str(args.layout), *args.paths, "--out", args.out]
    for option in layout.options:
        value = getattr(args, option.argument)
        if option.is_flag:
            words += [f"--{option.name}"] * value
        elif value != option.default:
            for word in value if option.many else [value]:
                words += [f"--{option.name}", word]
    return words


def _print(report: ImportReport, out: Path) -> None:
    say(
        f"{out / OUTCOMES_FILE}: {report.queries:,} queries, {len(report.targets)} targets, "
        f"{report.outcomes:,} outcomes; {report.complete:,} queries have every target's"
    )
    for note in report.notes:
        say(f"note: {note}")
    for reason, entry in report.skipped.items():
        say(f"skipped {entry.count:,}: {reason}; first: {entry.example}")
