"""CSV files that people open."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given

from prefillroute.text.spreadsheet import csv_text
from prefillroute.text.visible import visible
from tests.hostile import NAMES, TEXTS


def cells(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_text(frame), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|x", "@sum", "＝1", "=cmd|' /C calc'!A0"])
def test_a_formula_is_text(text: str) -> None:
    assert cells(pd.DataFrame({text: [text]})) == [[f"'{text}"], [f"'{text}"]]


def test_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"number": [-0.25, 1e-7, None], "text": ["-0.5", "+3", "-1.5e-3"]})
    assert cells(frame)[1:] == [["-0.25", "-0.5"], ["1e-07", "+3"], ["", "-1.5e-3"]]
    read = pd.read_csv(io.StringIO(csv_text(frame)))
    assert read["number"].tolist()[:2] == [-0.25, 1e-7]


@given(TEXTS)
def test_any_text_is_one_cell_and_no_formula(text: str) -> None:
    (_, (cell, number)) = cells(pd.DataFrame({"name": [text], "other": [1]}))
    assert cell in (visible(text), f"'{visible(text)}")
    assert cell[:1] not in ("=", "@")
    assert number == "1"


def test_a_line_break_begins_no_row() -> None:
    assert cells(pd.DataFrame({"name": ["a\r=1+1", "b\n=1+1"]})) == [["name"], ["a\\r=1+1"], ["b\\n=1+1"]]


def test_names_of_users() -> None:
    rows = cells(pd.DataFrame({"name": list(NAMES)}))[1:]
    assert [row[0].removeprefix("'") for row in rows] == [visible(name) for name in NAMES]
