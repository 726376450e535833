"""Puts numbers of studies and runs into documentation, so that none there is typed by hand.

A page names what belongs between two comments:

  <!-- measured: paper/mmlu_pro/pool/table1 --> ... <!-- /measured -->                           a study's table
  <!-- measured: paper/mmlu_pro/pool/table1 | all queries | oracle --> ... <!-- /measured -->    a cell: row, column
  <!-- measured: quickstart | hull_gain --> ... <!-- /measured -->                    a run's metric, with interval

  python -m experiments.paper.documented runs README.md docs/study.md
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.reports.catalogue import global_metrics
from prefillroute.reports.headline import interval_text, number
from prefillroute.reports.run_folder import read_metrics
from prefillroute.text.printing import say

PLACE = re.compile(r"(<!-- measured: (?P<what>[^\n]*?) -->)(?P<content>.*?)(<!-- /measured -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the pages; 1 where something that a page names is not there: its old content stays."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.paper.documented",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", type=Path, help="folder of the studies and runs that the pages name")
    parser.add_argument("pages", type=Path, nargs="+", metavar="PAGE")
    asked = parser.parse_args(arguments)
    missing: list[str] = []
    for page in asked.pages:
        old = page.read_text("utf-8")
        new = filled(old, asked.runs, missing)
        if new != old:
            write_text(page, new)
        say(f"{page}: {len(PLACE.findall(old))} places, {'changed' if new != old else 'as before'}")
    for line in missing:
        say(f"left as it was: {line}", stderr=True)
    return 1 if missing else 0


def filled(text: str, runs: Path, missing: list[str]) -> str:
    """A page with what belongs in its places; what is not there is added to `missing`, and the old content stays."""

    def fill(place: re.Match[str]) -> str:
        try:
            content = found(place["what"], runs)
        except UserError as error:
            missing.append(str(error))
            return place[0]
        is_table = "\n" in content
        return f"{place[1]}\n{content}\n{place[4]}" if is_table else f"{place[1]}{content}{place[4]}"

    return PLACE.sub(fill, text)


def found(what: str, runs: Path) -> str:
    """What a place names: a table in Markdown, one of its cells, or a metric of a run.

    Args:
        what: ``<study>/<pool>/<part>/<table>``; for a cell, followed by ``| <row> | <column>``, as the table's text has
            them; or ``<run> | <metric>``.
        runs: folder of studies and runs.

    Raises:
        UserError: there is no such table, row, column, run or metric.
    """
    name, *place = (word.strip() for word in what.split(" | "))
    return _of_run(runs / name, place[0]) if len(place) == 1 else _of_study(runs / f"{name}.md", place)


def _of_study(path: Path, place: Sequence[str]) -> str:
    if not path.is_file():
        raise UserError(f"{path}: expected a table, found none; run python -m experiments.paper")
    table = path.read_text("utf-8").strip()
    if not place:
        return table
    row, column = place
    lines = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]
    head, rows = lines[0], {line[0]: line for line in lines[2:]}
    if row not in rows or column not in head:
        known = ", ".join(head) if row in rows else ", ".join(rows)
        raise UserError(f"{path}: expected {row} | {column}, found {known}")
    return rows[row][head.index(column)].strip("*")


def _of_run(folder: Path, key: str) -> str:
    metrics = read_metrics(folder)
    known = {metric.key: metric for metric in global_metrics()}
    if key not in known:
        raise UserError(f"{folder}: expected a metric, one of {', '.join(known)}, found {key}")
    return f"{known[key].form(number(metrics['test'], key))} {interval_text(metrics, known[key])}"


if __name__ == "__main__":
    sys.exit(guarded(main))
