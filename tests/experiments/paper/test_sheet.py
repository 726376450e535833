"""Tables of a study: every form says the same."""

import csv
import io

import pandas as pd

from experiments.paper.sheet import Cell, Sheet, mark_best

SHEET = Sheet(
    "t",
    "Title",
    ("encoder", "AUC ↑"),
    ((Cell("a|b_1 & 50 %"), *mark_best(["−0.70"], [-0.7])), (Cell("=x"), Cell("–"))),
    pd.DataFrame({"encoder": ["a|b_1 & 50 %", "=x"], "auc": [-0.7, None]}),
)


def test_every_form_is_written_and_escaped(tmp_path):
    SHEET.write(tmp_path)
    markdown, latex, table = ((tmp_path / f"t.{suffix}").read_text() for suffix in ("md", "tex", "csv"))
    assert markdown.splitlines()[2] == "| a\\|b\\_1 & 50 % | **−0.70** |"
    assert latex.splitlines()[2] == r"encoder & AUC $\uparrow$ \\"
    assert latex.splitlines()[4] == r"a|b\_1 \& 50 \% & \textbf{$-$0.70} \\"
    assert latex.splitlines()[5] == r"=x & -- \\"
    assert list(csv.reader(io.StringIO(table)))[1:] == [["a|b_1 & 50 %", "-0.7"], ["'=x", ""]]


def test_the_best_cell_is_the_lowest_where_lower_is_better():
    found = mark_best(["1", "2", "–"], [1.0, 2.0, float("nan")], higher=False)
    assert [cell.best for cell in found] == [True, False, False]
    assert not any(cell.best for cell in mark_best(["–"], [None]))
