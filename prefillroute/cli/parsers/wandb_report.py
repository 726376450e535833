"""`prefillroute wandb-report`: declares the command."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "wandb-report",
        help="build the report of a sweep on Weights & Biases",
        description="Build a report of a sweep in its W&B project: headline metrics with intervals, AUC by encoder "
        "and target, accuracy-cost curves, layer profiles, the choices and their importance, and how to run it again.",
        epilog="Example: prefillroute wandb-report --entity my-team --project prefillroute --sweep two_heads",
    )
    parser.add_argument("--entity", required=True, metavar="NAME", help="W&B user or team")
    parser.add_argument("--project", required=True, metavar="NAME", help="W&B project")
    parser.add_argument(
        "--sweep",
        required=True,
        metavar="NAME",
        help="name of the sweep's folder (the runs' group), or the id that `wandb sweep` printed",
    )
    parser.add_argument(
        "--sort-by",
        default="mean_auc",
        metavar="METRIC",
        help="metric that orders the table and by which choices are judged (default: mean_auc)",
    )
    parser.set_defaults(work="wandb_report", extra="tracking")
