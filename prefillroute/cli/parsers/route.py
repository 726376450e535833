"""`prefillroute route`: send queries to a target with a trained router bundle."""

import argparse
from pathlib import Path

from prefillroute.router.labels import LABELS
from prefillroute.router.policies import known_policies


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand and its options."""
    parser = subparsers.add_parser(
        "route",
        help="choose a target for a query, or for every query of a file",
        description="Choose a target for a query with a router bundle (the folder router/ of a run).",
        epilog='Example: prefillroute route --router runs/.../router "What is 2 + 2?" --lambda 0.3',
    )
    parser.add_argument("query", nargs="*", help="the prompt to be routed, or several")
    parser.add_argument("--router", metavar="DIR", type=Path, help="router bundle")
    parser.add_argument(
        "--file",
        type=Path,
        help="queries: .txt (one a line), or CSV, TSV, JSONL, JSON or Parquet with a column `prompt` and, if known, "
        "`query_id`, `category`, `benchmark`; each may be gzipped",
    )
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="of --file where it has no byte order mark, for instance cp1252 (default utf-8)",
    )
    parser.add_argument("--out", type=Path, help="where the decisions of --file go: .jsonl or .parquet")
    parser.add_argument(
        "--targets",
        metavar="A,B",
        action="append",
        help="choose among these targets only; again for more, or where a name has commas",
    )
    for label in LABELS:
        parser.add_argument(
            f"--{label}",
            metavar="NAME",
            help=f"{label} of the query, for a router that reads it; of --file, a column `{label}`",
        )
    policies = known_policies()
    parser.add_argument("--policy", choices=list(policies), help="how confidence and cost become a choice")
    for name, policy in policies.items():
        if (parameter := policy.parameter) is not None:
            parser.add_argument(
                parameter.option,
                dest=f"value_{name}",
                type=float,
                metavar="X",
                help=f"{name}: {parameter.meaning}",
            )
    parser.add_argument(
        "--device", default="auto", help="where the models run: auto, cpu, cuda (default auto)"
    )
    parser.add_argument("--json", action="store_true", help="print the decision as JSON")
    parser.add_argument(
        "--check", metavar="RUN_DIR", type=Path, help="compare a run's bundle with its predictions"
    )
    parser.add_argument(
        "--check-texts", metavar="N", type=int, default=64, help="test queries of --check run from text"
    )
    parser.set_defaults(work="route")
