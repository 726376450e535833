"""Puts a study's tables and figures of text into documentation, so that no number there is typed by hand.

A page names what belongs between two comments:

    <!-- study: mmlu_pro/pool/table1 --> ... <!-- /study -->                                   the whole table
    <!-- study: mmlu_pro/pool/table1 | all queries | oracle --> ... <!-- /study -->            one cell: row, column

  python -m experiments.paper.documented runs/paper README.md docs/measurements.md
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.text.printing import say

PLACE = re.compile(r"(<!-- study: (?P<what>[^\n]*?) -->)(?P<content>.*?)(<!-- /study -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the pages; 1 where the study lacks something that a page names, whose old content stays."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.paper.documented",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", type=Path, help="folder of python -m experiments.paper")
    parser.add_argument("pages", type=Path, nargs="+", metavar="PAGE")
    asked = parser.parse_args(arguments)
    missing: list[str] = []
    for page in asked.pages:
        old = page.read_text("utf-8")
        new = filled(old, asked.study, missing)
        if new != old:
            write_text(page, new)
        say(f"{page}: {len(PLACE.findall(old))} places, {'changed' if new != old else 'as before'}")
    for line in missing:
        say(f"left as it was: {line}", stderr=True)
    return 1 if missing else 0


def filled(text: str, study: Path, missing: list[str]) -> str:
    """A page with the content of its places as the study has it; what it lacks is added to `missing` and stays."""

    def fill(place: re.Match[str]) -> str:
        try:
            content = found(place["what"], study)
        except UserError as error:
            missing.append(str(error))
            return place[0]
        is_table = "\n" in content
        return f"{place[1]}\n{content}\n{place[4]}" if is_table else f"{place[1]}{content}{place[4]}"

    return PLACE.sub(fill, text)


def found(what: str, study: Path) -> str:
    """What a place names: a table in Markdown, or one of its cells.

    Args:
        what: ``<pool>/<part>/<table>``; for a cell, followed by ``| <row> | <column>``, as the table's text has them.
        study: folder of the study.

    Raises:
        UserError: there is no such table, row or column.
    """
    name, *place = (word.strip() for word in what.split(" | "))
    path = study / f"{name}.md"
    if not path.is_file():
        raise UserError(f"{path}: expected a table, found none; run python -m experiments.paper")
    table = path.read_text("utf-8").strip()
    if not place:
        return table
    lines = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    head, rows = lines[0], {line[0]: line for line in lines[2:]}
    row, column = place if len(place) == 2 else (*place, "", "")[:2]
    if row not in rows or column not in head:
        known = ", ".join(head) if row in rows else ", ".join(rows)
        raise UserError(f"{path}: expected {' | '.join(place)}, found {known}")
    return rows[row][head.index(column)].strip("*")


if __name__ == "__main__":
    sys.exit(guarded(main))
