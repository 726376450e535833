"""`prefillroute sweep VERB`: declares what can be done with a sweep while its jobs wait, run or have ended."""

import argparse
from pathlib import Path

JOB = "its folder (3), the scheduler's name (123_4), or overrides that only it has (head=logistic)"
SWEEP = "the sweep's folder (default: the newest one below runs/)"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand with its verbs."""
    parser = subparsers.add_parser(
        "sweep",
        help="plan, watch, explain, complete or cancel a sweep of train, extract, embed or perplexity",
        description="Look after the jobs of a sweep. Everything is read from the sweep's folder and the scheduler.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    parser.set_defaults(work="sweep")

    plan = verbs.add_parser(
        "plan",
        help="what a command would submit, and how many hours that is; nothing is sent",
        description="Print the jobs that a command would submit, the hours that they need, and write the scheduler's "
        "request without sending it.",
    )
    plan.add_argument(
        "--probe",
        action="store_true",
        help="run the first job here and time it; its results count as the sweep's",
    )
    plan.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="COMMAND ...",
        help="for instance: train -m encoder=a,b pool=x hydra/launcher=slurm_gpu",
    )

    status = verbs.add_parser("status", help="a table of the jobs: how far they are, or what came out")
    _sweep(status)
    status.add_argument(
        "--watch",
        type=float,
        nargs="?",
        const=5.0,
        metavar="SECONDS",
        help="renew it until every job has ended",
    )
    status.add_argument("--json", action="store_true", help="one JSON object per job instead of the table")

    tail = verbs.add_parser("tail", help="the end of a job's log")
    tail.add_argument("job", metavar="JOB", help=JOB)
    _sweep(tail)
    tail.add_argument("-n", "--lines", type=int, default=20, metavar="N", help="so many lines (default: 20)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as the log grows")

    why = verbs.add_parser(
        "why", help="why a job did not finish: its error, its log, what the scheduler says"
    )
    why.add_argument("job", metavar="JOB", help=JOB)
    _sweep(why)

    rerun = verbs.add_parser(
        "rerun",
        help="start the jobs that did not finish once more",
        description="Start the jobs of a sweep that did not finish once more, with the sweep's own command.",
    )
    _sweep(rerun)
    which = rerun.add_mutually_exclusive_group()
    which.add_argument("--failed", action="store_true", help="only those that ended with an error")
    which.add_argument(
        "--missing", action="store_true", help="only those that left no error: never begun, killed, cancelled"
    )
    rerun.add_argument("--detach", action="store_true", help="submit and return")

    cancel = verbs.add_parser("cancel", help="take jobs out of the queue and end those that run")
    cancel.add_argument("jobs", nargs="*", metavar="JOB", help=f"{JOB}; default: all of them")
    _sweep(cancel)


def _sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sweep", type=Path, metavar="FOLDER", help=SWEEP)
