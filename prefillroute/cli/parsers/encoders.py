"""`prefillroute encoders`: declares the command."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "encoders",
        help="what each encoder needs: memory, GPUs, disk and time, calculated from its facts",
        epilog="Whether the facts are right: prefillroute encoder check NAME",
    )
    parser.add_argument(
        "names", nargs="*", metavar="ENCODER", help="options of conf/encoder; all without any"
    )
    parser.add_argument(
        "--gpu", default="h100", help="kind of GPU: l40s, a100, h100, h200, b200 (default: h100)"
    )
    parser.add_argument("--queries", type=int, default=10_000, help="number of queries (default: 10000)")
    parser.add_argument("--tokens", type=int, default=700, help="mean tokens per query (default: 700)")
    parser.add_argument(
        "--utilisation",
        type=float,
        default=0.2,
        help="share of the GPU's peak that is reached (default: 0.2)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, one object per encoder")
    form.add_argument("--markdown", action="store_true", help="print the table of docs/encoders.md")
    parser.set_defaults(work="encoders")
