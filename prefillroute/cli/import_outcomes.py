"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from prefillroute.cli.parsers.import_outcomes import LAYOUTS
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.outcomes.files import OUTCOMES_FILE, write_outcomes
from prefillroute.outcomes.importers import inspect_logs, llmrouterbench, log, mmlu_pro, routellm
from prefillroute.outcomes.importers.collector import Collector, Report
from prefillroute.outcomes.importers.skeleton import (
    SKELETON_FILE,
    is_completed,
    pool_name,
    pool_skeleton,
)
from prefillroute.text import hints
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen, Words

Find = Callable[[Path], list[Path]]

FIND: dict[str, Find] = {
    "mmlu-pro": mmlu_pro.find,
    "llmrouterbench": llmrouterbench.find,
    "routellm": routellm.find,
    "inspect": inspect_logs.find,
    "csv": log.find,
}
"""Layout -> how its files are found."""

OPTIONS: dict[str, object] = {
    **{"column": [], "encoding": None, "repeats": "error"},
    **{"scorer": None, "metric": None, "target": []},
}
"""Options of single layouts -> their defaults."""


def run(args: argparse.Namespace) -> int:
    """Import, write, print what was taken and what was left out."""
    find, (folder, what) = FIND[args.layout], LAYOUTS[args.layout]
    for path in args.paths:
        if not path.exists():
            raise UserError(f"{path}: not found; expected {what}")
    # A file that is named twice, or beside its folder, is read once.
    files = list({file.resolve(): file for path in args.paths for file in find(path)}.values())
    collector = Collector()
    columns = (Words(), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Screen(stderr=True), transient=True) as progress:
        task = progress.add_task("import", total=sum(file.stat().st_size for file in files))
        _read(args, files, collector, lambda size: progress.advance(task, size))
    queries, outcomes = collector.frames()
    if outcomes.empty:
        reasons = "; ".join(f"{reason}: {entry.count}" for reason, entry in collector.skipped.items())
        raise UserError(f"{args.paths[0]}: no outcome could be read ({reasons or 'no records'})")
    write_outcomes(args.out, queries, outcomes)
    _print(collector.report(outcomes), args.out)
    if not folder:  # a user's own data has no pool in conf/ yet
        _write_skeleton(args, list(outcomes["target"].unique()))
    return 0


def _write_skeleton(args: argparse.Namespace, targets: list[str]) -> None:
    skeleton = args.out / SKELETON_FILE
    if is_completed(skeleton):
        say(f"note: {skeleton} has prices and stays as it is; delete it to get a new one")
    else:
        command = hints.command(*_words(args))
        write_text(skeleton, pool_skeleton(args.out, targets, command))
    say(f"next: complete {skeleton} and copy it to conf/pool/{pool_name(args.out)}.yaml")


def _words(args: argparse.Namespace) -> list[str | Path]:
    """The words of the command that made the table, for the day when the table is missing."""
    words: list[str | Path] = ["prefillroute", "import", str(args.layout), *args.paths, "--out", args.out]
    for name, default in OPTIONS.items():
        value: Any = getattr(args, name, default)
        if value != default:
            for word in value if isinstance(value, list) else [value]:
                words += [f"--{name}", word]
    return words


def _read(
    args: argparse.Namespace, files: list[Path], collector: Collector, advance: Callable[[int], None]
) -> None:
    if args.layout == "llmrouterbench":
        llmrouterbench.read_folder(files, collector, advance)
        return
    if args.layout == "inspect":
        renamed = _renamed(args.target)
        inspect_logs.read_folder(files, collector, advance, args.scorer, args.metric, renamed)
        return
    if args.layout == "csv":
        folders = [path for path in args.paths if path.is_dir()]
        log.read_folder(
            files, collector, advance, _columns(args.column), args.encoding, args.repeats, folders
        )
        return
    for file in files:
        if args.layout == "mmlu-pro":
            mmlu_pro.read(file, collector, advance)
        else:
            routellm.read(file, collector, advance)
    if args.layout == "mmlu-pro":
        for path in args.paths:
            mmlu_pro.read_history(path, collector)


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or ours not in log.KNOWN:
            raise UserError(f"--column {pair}: expected OURS=THEIRS with OURS one of {', '.join(log.KNOWN)}")
        columns[ours] = theirs
    return columns


def _renamed(pairs: list[str]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        old, _, new = pair.rpartition("=")  # the last one: a target's reasoning mode has its own
        if not old or not new:
            raise UserError(f"--target {pair}: expected OLD=NEW")
        renamed[old] = new
    return renamed


def _print(report: Report, out: Path) -> None:
    say(
        f"{out / OUTCOMES_FILE}: {report.queries:,} queries, {len(report.targets)} targets, "
        f"{report.outcomes:,} outcomes; {report.complete:,} queries have every target's"
    )
    for note in report.notes:
        say(f"note: {note}")
    for reason, entry in report.skipped.items():
        say(f"skipped {entry.count:,}: {reason}; first: {entry.example}")
