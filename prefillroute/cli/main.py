"""`prefillroute`: the commands beside `python train.py`."""

import sys
from collections.abc import Sequence

from prefillroute import __version__
from prefillroute.cli import collect, embed, extract, import_outcomes, perplexity, pool, report, route
from prefillroute.cli.parser import Parser
from prefillroute.config.guard import guarded

COMMANDS = (collect, import_outcomes, pool, extract, embed, perplexity, report, route)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status (0, or 1 after a one-line error on stderr)."""
    return guarded(lambda: _run(sys.argv[1:] if argv is None else list(argv)))


def _run(argv: list[str]) -> int:
    parser = Parser(
        prog="prefillroute",
        description="Route queries between LLMs from a small encoder's prefill activations.",
        epilog="Training and sweeps: python train.py --help",
    )
    parser.add_argument("--version", action="version", version=f"prefillroute {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # Said by the subcommand's own parser, which knows the options that it has.
        subparsers.choices[arguments.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return int(arguments.run(arguments) or 0)


if __name__ == "__main__":
    sys.exit(main())
