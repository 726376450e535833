"""`prefillroute collect pool=X benchmark=Y`: declares the command."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "collect",
        help="ask a pool's targets the questions of a benchmark and score them",
        description="Ask every target of a pool the questions of a benchmark, score the answers, and write an outcome "
        "folder. If interrupted, the same command continues and pays for no answer twice. A call that fails for good "
        "leaves a missing outcome, never a wrong one, and the next run tries it again.",
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
        "--dry-run", action="store_true", help="print what would be asked and what it would cost; ask nothing"
    )
    parser.set_defaults(work="collect", extra="harness")
