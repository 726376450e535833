"""`prefillroute encoder check NAME ...`: prints an encoder's facts beside what its own files say."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefillroute.cli.encoders import encoder_names
from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.check.compare import Checked, check_encoder, own_rows
from prefillroute.extraction.check.files import NotReadError
from prefillroute.reports.numbers import MISSING
from prefillroute.text.hints import listed
from prefillroute.text.printing import say, say_json
from prefillroute.text.screen import Screen

COLUMNS = ("fact", "YAML", "found", "source", "verdict")


def run(args: argparse.Namespace) -> int:
    """Check and print.

    Raises:
        UserError: an encoder is unknown, its files are damaged, a fact differs, or the files of a named one are not at
            hand.
    """
    if bool(args.names) == args.all:
        raise UserError(
            f"encoder check: expected names of encoders or --all, found {'both' if args.names else 'neither'}"
        )
    if args.folder is not None and len(args.names) != 1:
        raise UserError(f"--folder: expected it with one encoder, found {len(args.names) or 'all'}")
    options = args.names or encoder_names()
    found: list[Checked] = []
    absent: dict[str, str] = {}
    for option in options:
        facts = read_fact("encoder", option, EncoderConfig)
        try:
            checked = check_encoder(facts, option, args.folder)
        except NotReadError as error:
            absent[option] = error.reason
            checked = Checked(facts.name, "", tuple(own_rows(facts, option)))
        found.append(checked)
        if not args.json and checked.rows:
            _print(checked)
    if args.json:
        say_json(
            [
                asdict(each) | {"not_read": absent.get(option)}
                for option, each in zip(options, found, strict=True)
            ]
        )
    else:
        for reason in dict.fromkeys(absent.values()):
            names = [option for option, why in absent.items() if why == reason]
            say(
                f"not read: {listed(names)}: {reason}",
                "checked of them: only that their facts agree with each other",
            )
    _conclude(found, absent if args.names else {})
    return 0


def _print(checked: Checked) -> None:
    screen = Screen()
    title = f"encoder {checked.encoder}: {checked.place or 'not read'}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in ("YAML", "found") else "left", no_wrap=True)
    for row in checked.rows:
        cells = (row.fact, _shown(row.stated), _shown(row.found), row.source, row.verdict)
        table.add_row(*map(screen.lines, cells))
    screen.table(table)
    say(*(f"  {row.fact}: {row.note}" for row in checked.rows if row.note))


def _shown(value: Any) -> str:
    return MISSING if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _conclude(found: list[Checked], absent: dict[str, str]) -> None:
    """Raise what makes the exit status 1."""
    wrong = [f"{each.encoder}.{fact}" for each in found for fact in each.differing]
    if wrong:
        raise UserError(
            f"encoder check: expected facts as in the files, found {len(wrong)} that differ: {', '.join(wrong)}; "
            "correct conf/encoder, or the files"
        )
    if absent:
        raise UserError(
            f"encoder check: expected files to compare with, found none of {', '.join(absent)}; see the line of each"
        )
