"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from prefillroute.errors import UserError
from prefillroute.outcomes.files import OUTCOMES_FILE, write_outcomes
from prefillroute.outcomes.importers import inspect_logs, llmrouterbench, log, mmlu_pro, routellm
from prefillroute.outcomes.importers.collector import Collector, Report
from prefillroute.outcomes.importers.repeats import REPEATS
from prefillroute.outcomes.importers.skeleton import (
    SKELETON_FILE,
    data_folder,
    is_completed,
    pool_name,
    pool_skeleton,
)

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
    "csv": (
        log.find,
        "",
        "your own log: CSV, TSV, JSONL, JSON or Parquet with prompt, target, correct and what else is known",
    ),
}
"""Layout -> how its files are found, its folder under data/, what it is."""

CSV_LAYOUT = """\
A table with one row per call: CSV, TSV, JSONL, JSON (an array of objects) or Parquet, each also gzipped
(log.csv.gz), or a folder of such files. In any order, needed are

  prompt             text    what the target was asked
  target             text    name of the model that answered
  correct            number  its score from 0 to 1; also true, false, yes, no, 50%; empty: not scored

and if known

  query_id           text    one per prompt (default: a hash of the prompt)
  benchmark          text    (default: log)
  category           text    (default: the benchmark)
  prompt_tokens      number  tokens sent
  completion_tokens  number  tokens received, reasoning included
  latency_s          number  seconds to the whole answer
  ttft_s             number  seconds to the first token
  cost_usd           number  what the call cost, USD
  split              text    train, calibration or test, for every row
  near_dup_group     text    queries of one group stay in one part of the data

An empty cell is an unknown value. Two rows as an example:

  prompt,target,correct,prompt_tokens,completion_tokens,cost_usd
  What is 2 + 2?,small-model,1,12,5,0.00001
  What is 2 + 2?,large-model,1,12,48,0.0009
"""
DETAILS = {
    "csv": CSV_LAYOUT,
    "routellm": """\
CSV files in mmlu/responses/ or named *_responses.csv, also gzipped, with the columns

  prompt            text           what the models were asked
  <model>           True or False  one column per model: whether its answer was right
  <model>_response  text           in some files: the answer (its length / 4 is taken as tokens)

for instance

  prompt,mixtral-8x7b,gpt-4
  Find the order of 5 in Z_12.,False,True
  What is 2 + 2?,True,True
""",
    "llmrouterbench": """\
JSON files <dataset>/<split>/<model>/<...YYYYMMDD_HHMMSS>.json, each with a list `records`; read of each record are

  index, origin_query (or prompt), score in [0, 1], prompt_tokens, completion_tokens, cost

The newest file of a model is taken; files with "demo": true are left out.
""",
    "mmlu-pro": """\
Zips model_outputs_<model>_<n>shots.zip, or folders of *_result.json, with a list of records; read of each are

  question_id, question, options, answer, category, pred (or the model's text)
""",
    "inspect": """\
Logs that `inspect eval` wrote. A query is <task>/<sample id>; a target is the model with its reasoning mode; the
score is the first scorer's (see --scorer), and several epochs become their mean.
""",
}
"""Layout -> which fields are read, for its help."""


OPTIONS: dict[str, object] = {
    **{"column": [], "encoding": None, "repeats": "error"},
    **{"scorer": None, "metric": None, "target": []},
}
"""Options of single layouts -> their defaults."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("import", help="public results or your own log into an outcome folder")
    layouts = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for name, (_, folder, what) in LAYOUTS.items():
        layout = layouts.add_parser(
            name,
            help=what,
            description=f"Import {what}.",
            epilog=DETAILS[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        layout.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)
        data = data_folder()
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
                help="name of a column of ours in your log, for instance prompt=question",
            )
            layout.add_argument(
                "--encoding",
                metavar="NAME",
                help="of text files without a byte order mark, for instance cp1252 (default utf-8)",
            )
            layout.add_argument(
                "--repeats",
                choices=REPEATS,
                default="error",
                help="several rows of one query and target: refuse them (default), take the mean of correct, tokens, "
                "seconds and cost as a soft label, or keep the first",
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
    # A file that is named twice, or beside its folder, is read once.
    files = list({file.resolve(): file for path in args.paths for file in find(path)}.values())
    collector = Collector()
    console = Console()
    columns = (TextColumn("import"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("import", total=sum(file.stat().st_size for file in files))
        _read(args, files, collector, lambda size: progress.advance(task, size))
    queries, outcomes = collector.frames()
    if outcomes.empty:
        reasons = "; ".join(f"{reason}: {entry.count}" for reason, entry in collector.skipped.items())
        raise UserError(f"{args.paths[0]}: no outcome could be read ({reasons or 'no records'})")
    write_outcomes(args.out, queries, outcomes)
    _print(collector.report(outcomes), args.out, console)
    if not LAYOUTS[args.layout][1]:  # a user's own data has no pool in conf/ yet
        _write_skeleton(args, list(outcomes["target"].unique()), console)
    return 0


def _write_skeleton(args: argparse.Namespace, targets: list[str], console: Console) -> None:
    skeleton = args.out / SKELETON_FILE
    pool = f"conf/pool/{pool_name(args.out)}.yaml"
    if is_completed(skeleton):
        console.print(
            f"note: {skeleton} has prices and stays as it is; delete it to get a new one",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    else:
        skeleton.write_text(pool_skeleton(args.out, targets, _command(args)), encoding="utf-8")
    console.print(
        f"next: complete {skeleton} and copy it to {pool}", soft_wrap=True, highlight=False, markup=False
    )


def _command(args: argparse.Namespace) -> list[str]:
    """The words of the command that made the table, for the day when the table is missing."""
    words = ["prefillroute", "import", args.layout, *map(str, args.paths), "--out", str(args.out)]
    for name, default in OPTIONS.items():
        value = getattr(args, name, default)
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


def _print(report: Report, out: Path, console: Console) -> None:
    console.print(
        f"{out / OUTCOMES_FILE}: {report.queries:,} queries, {len(report.targets)} targets, "
        f"{report.outcomes:,} outcomes; {report.complete:,} queries have every target's",
        soft_wrap=True,
        highlight=False,
    )
    for note in report.notes:
        console.print(f"note: {note}", soft_wrap=True, highlight=False, markup=False)
    for reason, entry in report.skipped.items():
        console.print(
            f"skipped {entry.count:,}: {reason}; first: {entry.example}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
