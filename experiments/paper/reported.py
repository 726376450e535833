"""What the paper prints, and tables that put it beside what was measured on its pools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from experiments.paper.sheet import Cell, Sheet
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import MINUS, MISSING, NBSP, count, decimal, points

FILE = Path(__file__).with_name("reported.yaml")
TRUNK = "SharedTrunkNet"


@dataclass(frozen=True)
class Paper:
    """The paper's numbers of one of its pools, asked for by our names; None where it prints none."""

    pool: str
    targets: tuple[str, ...]
    """Our names of the targets that are studied."""

    @property
    def whole(self) -> bool:
        """Whether these are all targets of the paper's pool: numbers of a part of it compare with nothing printed."""
        return set(self.targets) == set(reported()["names"]["targets"][self.pool])

    def consensus(self, key: str) -> float | None:
        """Of table 1: a key of consensus classes, or one with the suffix ``_share``."""
        return self._of_whole(reported()["consensus"][self.pool].get(key))

    def encoder_auc(self, encoder: str, target: str) -> float | None:
        """Of tables 2, A.1 and A.2: the AUC of an encoder (our option) on a target."""
        table = reported()["encoder_auc"][self.pool]
        row = table["encoders"].get(reported()["names"]["encoders"].get(encoder))
        return _at(table["targets"], row, self._printed(target))

    def architecture(self, router: str, key: str) -> float | None:
        """Of table 3: a metric of a router, which is named as `router_name` does."""
        return self._of_whole(_named(reported()["architectures"][self.pool], router).get(key))

    def of_pool(self, key: str) -> float | None:
        """Of tables 5 and 6: a metric of the pool itself."""
        return self._of_whole(reported()["global"][self.pool]["pool"].get(key))

    def of_router(self, router: str, key: str) -> float | None:
        """Of tables 5 and 6: a metric of a router."""
        return self._of_whole(_named(reported()["global"][self.pool]["routers"], router).get(key))

    def per_target(self, router: str, key: str, target: str) -> float | None:
        """Of tables B.1 to B.3: `auc` or `brier` of a router on a target."""
        table = reported()["per_target"][self.pool]
        return _at(table["targets"], _named(table[key], router).get("targets"), self._printed(target))

    def _printed(self, target: str) -> Sequence[str]:
        names: Mapping[str, Sequence[str]] = reported()["names"]["targets"][self.pool]
        return names.get(target, ())

    def _of_whole(self, value: float | None) -> float | None:
        return value if self.whole else None


def paper_of(pool: str, targets: Sequence[str]) -> Paper | None:
    """The paper's numbers of a pool; None where the pool, by its name, is none of the paper's.

    Example:
        >>> paper = paper_of("frontier", ["gpt-5", "deepseek-r1-0528"])
        >>> paper.encoder_auc("qwen35_122b", "deepseek-r1-0528"), paper.of_pool("oracle_accuracy")
        (0.8757, None)
    """
    return Paper(pool, tuple(targets)) if pool in reported()["names"]["targets"] else None


def router_name(architecture: str, embedder: str | None = None, calibration: str | None = None) -> str:
    """A semantic router as appendix B writes it, with our names where the paper has none.

    Example:
        >>> router_name("5_emb_mt", "nv_embed_v2", "percentile")
        '[nv-embed-v2] 5_emb_mt (percentile)'
        >>> router_name("u_emb_mt", "minilm", "none")
        '[minilm] u_emb_mt (raw)'
    """
    printed = reported()["names"]["embedders"]
    read = f"[{printed.get(embedder, embedder)}] " if embedder else ""
    return f"{read}{architecture}" + (f" ({calibration.replace('none', 'raw')})" if calibration else "")


@cache
def reported() -> dict[str, Any]:
    """The content of reported.yaml."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def _named(routers: Mapping[str, Any], router: str) -> Mapping[str, Any]:
    """The entry of a router, whatever the case of its letters; a name printed without calibration is a raw one."""
    known = {name.casefold(): entry for name, entry in routers.items()}
    found: Mapping[str, Any] = known.get(
        router.casefold(), known.get(router.casefold().removesuffix(" (raw)"), {})
    )
    return found


def _at(columns: Sequence[str], row: Sequence[float] | None, names: Sequence[str]) -> float | None:
    if row is None:
        return None
    return next((row[index] for index, column in enumerate(columns) if column in names), None)


@dataclass(frozen=True)
class Compared:
    """One number of ours beside the paper's."""

    row: str
    column: str
    metric: Metric
    ours: float | None
    theirs: float | None


def beside_paper(sheet: Sheet, compared: Sequence[Compared]) -> tuple[Sheet, ...]:
    """A table in which each cell is ours, the paper's and the difference; none where the paper prints nothing of it.

    Args:
        sheet: the table that it stands beside; its name gets the suffix ``_paper``.
        compared: its cells, row by row; rows and columns of which the paper prints nothing are left out.
    """
    printed = [entry for entry in compared if entry.theirs is not None]
    if not printed:
        return ()
    rows = list(dict.fromkeys(entry.row for entry in printed))
    columns = list(dict.fromkeys(entry.column for entry in printed))
    cells = {(entry.row, entry.column): _text(entry) for entry in printed}
    found = tuple(
        tuple(map(Cell, (row, *(cells.get((row, column), MISSING) for column in columns)))) for row in rows
    )
    frame = pd.DataFrame(
        [
            {
                "row": entry.row,
                "column": entry.column,
                "ours": entry.ours,
                "paper": entry.theirs,
                "difference": None
                if entry.ours is None or entry.theirs is None
                else entry.ours - entry.theirs,
            }
            for entry in printed
        ]
    )
    title = f"{sheet.title}: ours, the paper's, difference"
    return (Sheet(f"{sheet.name}_paper", title, ("", *columns), found, frame),)


def paper_notes(paper: Paper | None, *places: str) -> tuple[str, ...]:
    """What has to be known of the paper's numbers: its slips in the tables of these places.

    Args:
        paper: of the pool; None gives nothing.
        places: beginnings of a note's place, such as ``table 5``.
    """
    if paper is None:
        return ()
    notes = [
        f"The paper, {note['place']}: {note['found']}"
        for note in reported()["notes"]
        if note["place"].startswith(places)
    ]
    if not paper.whole:
        notes.append(
            f"The pool has {len(paper.targets)} targets and the paper's {paper.pool} pool "
            f"{len(reported()['names']['targets'][paper.pool])}: its numbers of the whole pool are not shown."
        )
    return tuple(notes)


def _text(entry: Compared) -> str:
    """``0.7012, 0.7983, −0.0971``; shares as the metric prints them, differences of shares in percentage points."""
    assert entry.theirs is not None
    shares = entry.metric.form(0.5).endswith(("%", "pp"))
    whole = entry.metric.form is count

    def form(value: float | None) -> str:
        return entry.metric.form(value) if shares or whole else decimal(value, 4)

    if entry.ours is None:
        return f"{MISSING}, {form(entry.theirs)}"
    difference = entry.ours - entry.theirs
    if shares:
        return f"{form(entry.ours)}, {form(entry.theirs)}, {points(difference)}{NBSP}pp"
    said = form(difference)
    return f"{form(entry.ours)}, {form(entry.theirs)}, {'+' if not said.startswith(MINUS) and difference else ''}{said}"
