"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
import os
from pathlib import Path

LAYOUTS = {
    "mmlu-pro": ("mmlu_pro", "a clone of github.com/TIGER-AI-Lab/MMLU-Pro, or its eval_results"),
    "llmrouterbench": ("llmrouterbench", "the unpacked bench-release of LLMRouterBench"),
    "routellm": ("routellm", "a clone of github.com/lm-sys/RouteLLM, or its response CSVs"),
    "inspect": ("", "logs of Inspect AI: .eval or .json files, or a folder of them"),
    "csv": ("", "your own log: CSV or JSONL with prompt, target, correct and what else is known"),
}
"""Layout -> its folder under data/ (none for a user's own data), what it is."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("import", help="public results or your own log into an outcome folder")
    layouts = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for name, (folder, what) in LAYOUTS.items():
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
        layout.set_defaults(work="import_outcomes")
