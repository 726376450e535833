"""Cells of other types than text, as Parquet files and spreadsheets bring them."""

import math
from datetime import date
from decimal import Decimal

import pytest

from prefillroute.outcomes.importers.records.values import BadCellError, name_of, text_of


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None), ("", None), ("a ", "a "), (True, "true"), (False, "false"), (0, "0"), (0.5, "0.5"),
        (1.0, "1.0"), (math.nan, None), (Decimal("1.50"), "1.50"), (date(2026, 11, 27), "2026-11-27"),
        (b"caf\xc3\xa9", "café"), (b"", None),
    ],
)  # fmt: skip
def test_a_cell_as_text(cell, text):
    assert text_of(cell) == text
    assert name_of(cell) == ("1" if cell == 1.0 and isinstance(cell, float) else text)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (b"caf\xe9", r"expected text in UTF-8, found b'caf\\xe9'"),
        ([1], r"expected text, found a list \(\[1\]\)"),
        ({"a": 1}, r"expected text, found a dict \(\{'a': 1\}\)"),
    ],
)
def test_what_is_no_text(cell, message):
    with pytest.raises(BadCellError, match=message):
        text_of(cell)
