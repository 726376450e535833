"""`prefillroute import LAYOUT PATH...`: public results or your own log into an outcome folder."""

import argparse
from pathlib import Path

from prefillroute.outcomes.importers.layout import Layout, Option, known_layouts
from prefillroute.outcomes.importers.skeleton import data_folder


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("import", help="public results or your own log into an outcome folder")
    layouts = parser.add_subparsers(dest="layout", required=True, metavar="LAYOUT")
    for name, layout in known_layouts().items():
        own = layouts.add_parser(
            name,
            help=layout.what,
            description=f"Import {layout.what}.",
            epilog=layout.details,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        own.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=layout.what)
        _add_out(own, layout)
        for option in layout.options:
            _add_option(own, option)
        own.set_defaults(work="import_outcomes")


def _add_out(parser: argparse.ArgumentParser, layout: Layout) -> None:
    default = None if layout.folder is None else data_folder() / layout.folder
    parser.add_argument(
        "--out",
        type=Path,
        required=default is None,
        default=default,
        help="outcome folder to write" + ("" if default is None else f" (default {default})"),
    )


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    if option.is_flag:
        parser.add_argument(f"--{option.name}", action="store_true", help=option.help)
        return
    parser.add_argument(
        f"--{option.name}",
        action="append" if option.many else "store",
        choices=option.choices,
        default=option.default,
        metavar=option.metavar,
        help=option.help,
    )
