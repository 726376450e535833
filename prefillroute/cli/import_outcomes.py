"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from prefillroute.errors import UserError
from prefillroute.outcomes.files import OUTCOMES_FILE, write_outcomes
from prefillroute.outcomes.importers import inspect_logs, llmrouterbench, log, mmlu_pro, routellm
from prefillroute.outcomes.importers.collector import Collector, Report
from prefillroute.outcomes.importers.skeleton import pool_skeleton
from prefillroute.text import hints
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen, Words

Find = Callable[[Path], list[Path]]

LAYOUTS: dict[str, tuple[Find, str, str]] = {
    "mmlu-pro": (
        mmlu_pro.find,
        "mmlu_pro",
        "a clone of github.com/TIGER-AI-Lab/MMLU-Pro, or its eval_results",
    ),
    "llmrouterbench": (llmrouterbench.find, "llmrouterbench", "the unpacked bench-release of LLMRouterBench"),
    "routellm": (routellm.find, "routellm", "a clone of github.com/lm-sys/RouteLLM, or its response CSVs"),
    "inspect": (inspect_logs.find, "", "logs of Inspect AI: .eval or .json files, or a folder of them"),
    "csv": (log.find, "", "your own log: CSV or JSONL with prompt, target, correct and what else is known"),
}
"""Layout -> how its files are found, its folder under data/, what it is."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("import", help="public results or your own log into an outcome folder")
    layouts = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for name, (_, folder, what) in LAYOUTS.items():
        layout = layouts.add_parser(name, help=what)
        layout.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)
        data = Path(os.environ.get("PREFILLROUTE_DATA", "data"))
        layout.add_argument(
            "--out",
            type=Path,
            required=not folder,
            default=data / folder if folder else None,
            help="outcome folder to write" + (f" (default {data / folder})" if folder else ""),
        )
        if name == "csv":
            layout.add_argument(
                "--column",
                action="append",
                default=[],
                metavar="OURS=THEIRS",
                help="for instance prompt=question",
            )
        if name == "inspect":
            layout.add_argument(
                "--scorer", metavar="NAME", help="whose score is taken (default: the first one's)"
            )
            layout.add_argument("--metric", metavar="KEY", help="which value, where a scorer gives several")
            layout.add_argument(
                "--target",
                action="append",
                default=[],
                metavar="OLD=NEW",
                help="rename a target, for instance 'openai/o3 (reasoning_effort=high)=o3-high'",
            )
        layout.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import, write, print what was taken and what was left out."""
    find = LAYOUTS[args.layout][0]
    for path in args.paths:
        if not path.exists():
            raise UserError(f"{path}: not found; expected {LAYOUTS[args.layout][2]}")
    files = [file for path in args.paths for file in find(path)]
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
    if not LAYOUTS[args.layout][1]:  # a user's own data has no pool in conf/ yet
        targets = list(outcomes["target"].unique())
        command = hints.command("prefillroute", "import", args.layout, *args.paths, "--out", args.out)
        skeleton = args.out / "pool.yaml"
        skeleton.write_text(pool_skeleton(args.out.name, targets, command), encoding="utf-8")
        say(f"next: complete {skeleton} and copy it to conf/pool/{args.out.name}.yaml")
    return 0


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
    for file in files:
        if args.layout == "mmlu-pro":
            mmlu_pro.read(file, collector, advance)
        elif args.layout == "routellm":
            routellm.read(file, collector, advance)
        else:
            log.read(file, collector, advance, _columns(args.column))
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
