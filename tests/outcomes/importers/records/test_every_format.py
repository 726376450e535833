"""Text comes out of a file as it went in, whatever the format."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefillroute.outcomes.importers.records.read import read_rows

# Every character that UTF-8 has; the mark U+FEFF and a table's blank rows are tested apart.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), min_size=1)
FILLED = TEXT.filter(lambda text: text.strip())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(FILLED, TEXT), min_size=1, max_size=5))
def test_text_comes_out_as_it_went_in(written, rows):
    names = ("prompt", 'a "name", with; marks')
    table = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    assert [record for _, record in read_rows(written(table))] == [
        dict(zip(names, row, strict=True)) for row in rows
    ]


def test_more_rows_than_a_chunk_has(written):
    table = {"prompt": [f"question {row}" for row in range(12_001)], "n": ["x"] * 12_001}
    found = list(read_rows(written(table)))
    assert [record["prompt"] for _, record in found] == table["prompt"]
    rows = [row for row, _ in found]
    assert rows == sorted(set(rows))
    assert rows[0] == 1
