"""Table 1 of the paper: on how many queries the targets agree, and what a perfect router would reach."""

from functools import partial

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.reported import Compared, Paper, beside_paper, paper_notes, paper_of
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from prefillroute.outcomes.agreement import CLASSES, agreement_classes
from prefillroute.outcomes.table import Outcomes
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import count, percent

COUNT, SHARE = Metric("complete", "queries", count), Metric("share", "share", partial(percent, digits=2))
WORDS = dict(zip(CLASSES, ("all correct", "all wrong", "disagreement"), strict=True))


def run(asked: Asked) -> Section:
    """Count the consensus classes over all queries of a pool, and over its test queries."""
    data = asked.data
    parts = {"all queries": np.arange(len(data.outcomes)), "test queries": data.split.test}
    frame = pd.DataFrame([{"queries": name, **counts(data.outcomes, rows)} for name, rows in parts.items()])
    rows = tuple(
        tuple(
            map(
                Cell,
                (
                    str(row["queries"]),
                    count(row["complete"]),
                    *(f"{count(row[name])} ({percent(row[name] / row['complete'], 2)})" for name in CLASSES),
                    percent(row["oracle"], 2),
                    percent(row["best_single"], 2),
                ),
            )
        )
        for row in frame.to_dict("records")
    )
    columns = ("", "queries", *(WORDS[name] for name in CLASSES), "oracle", "best single")
    sheet = Sheet("table1", f"Table 1: consensus of the targets, {asked.pool}", columns, rows, frame)
    left_out = len(data.outcomes) - int(data.outcomes.complete.sum())
    notes = (f"{count(left_out)} queries without every target's outcome are left out",) if left_out else ()
    paper = paper_of(data.pool.name, data.outcomes.targets)
    beside = beside_paper(sheet, _compared(frame, paper)) if paper else ()
    return Section(
        "Consensus and oracle", (sheet, *beside), notes=(*notes, *paper_notes(paper, "table 1", "section 8"))
    )


def _compared(frame: pd.DataFrame, paper: Paper) -> list[Compared]:
    """Ours over all queries, beside the paper's."""
    row = frame.iloc[0]
    found = [Compared("all queries", "queries", COUNT, float(row["complete"]), paper.consensus("complete"))]
    for name in CLASSES:
        theirs = paper.consensus(f"{name}_share")
        found.append(Compared("all queries", WORDS[name], SHARE, row[name] / row["complete"], theirs))
    return [*found, Compared("all queries", "oracle", SHARE, row["oracle"], paper.consensus("oracle"))]


def counts(outcomes: Outcomes, rows: np.ndarray) -> dict[str, float]:
    """The size of each consensus class among the complete ones of these rows, the oracle's and the best accuracy."""
    rows = rows[outcomes.complete[rows]]
    classes = agreement_classes(outcomes.labels[rows])
    correct = outcomes.correct[rows]
    return {
        "complete": len(rows),
        **{name: int((classes == name).sum()) for name in CLASSES},
        "oracle": float(correct.max(axis=1).mean()),
        "best_single": float(correct.mean(axis=0).max()),
    }
