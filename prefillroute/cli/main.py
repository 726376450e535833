"""The command line `prefillroute`; only the command that is asked for imports what it needs."""

import sys
from collections.abc import Sequence

from prefillroute import __version__
from prefillroute.cli.dispatch import load
from prefillroute.cli.parser import Parser
from prefillroute.cli.parsers import (
    apps,
    collect,
    encoder_check,
    encoders,
    import_outcomes,
    pool,
    report,
    route,
    sweep,
    wandb_report,
)
from prefillroute.config.guard import guarded
from prefillroute.text.printing import say

COMMANDS = (collect, import_outcomes, pool, encoders, encoder_check, apps, sweep, report, route, wandb_report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status (0, or 1 after a one-line error on stderr)."""
    return guarded(lambda: run_command(sys.argv[1:] if argv is None else list(argv)))


def run_command(argv: list[str]) -> int:
    """Run one subcommand and return its exit status; raise an error if the user made a mistake.

    Raises:
        UserError: the message says in one line what is wrong, and what would be right.
    """
    if argv and argv[0] in apps.HELP:
        if {"--help", "-h"} & set(argv[1:]):
            say(*load("jobs.help").help_text(apps.ROOTS[argv[0]]).splitlines())
            return 0
        return int(load("cli.apps").run(argv[0], argv[1:]))
    parser, commands = make_parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # The subcommand's own parser reports this, because it knows the subcommand's options.
        commands[arguments.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    if arguments.config_name is not None:
        # This comes before the import of the module that does the work, so that a mistake is reported at once.
        compose = load("config.compose")
        arguments.config = compose.compose_run(arguments.overrides, config_name=arguments.config_name)
    return int(load(f"cli.{arguments.work}", arguments.extra).run(arguments) or 0)


def make_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole command line, and those of its commands by name."""
    parser = Parser(
        prog="prefillroute",
        description="Route queries between LLMs from a small encoder's prefill activations.",
    )
    parser.add_argument("--version", action="version", version=f"prefillroute {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    parser.set_defaults(extra=None, config_name=None)
    return parser, subparsers.choices


if __name__ == "__main__":
    sys.exit(main())
