"""`prefillroute collect pool=X benchmark=Y`: ask every target of a pool, score the answers, write the outcomes."""

import argparse
import importlib

from prefillroute.errors import UserError
from prefillroute.text import hints


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "collect",
        help="ask a pool's targets the questions of a benchmark and score them",
        description="Ask every target of a pool the questions of a benchmark and write what they got right as an "
        "outcome folder. Interrupted, the same command goes on and pays for no answer twice; a call that fails "
        "for good is missing, never wrong, and tried again by the next run.",
        epilog="examples: prefillroute collect pool=mine benchmark=mmlu_pro limits.spend_usd=20 --dry-run; "
        "prefillroute collect pool=mine benchmark=file benchmark.path=questions.csv max_questions=200",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="pool=..., benchmark=mmlu_pro|hle|livecodebench|starter|file, out=..., max_questions=..., and of limits: "
        "max_tokens, spend_usd, retries, attempt_s, stall_s, connections",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be asked and what it would cost; ask nothing"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the harness, which needs packages that no other command does, and run it."""
    try:
        command = importlib.import_module("prefillroute.harness.command")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "prefillroute":
            raise
        raise UserError(
            f"collect needs the package '{error.name}'; run {hints.install('harness')}"
        ) from error
    return int(command.run(arguments.overrides, arguments.dry_run))
