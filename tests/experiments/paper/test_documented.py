"""Documentation takes its numbers from a study."""

import pandas as pd
import pytest

from experiments.paper.documented import filled, found, main
from experiments.paper.sheet import Cell, Sheet
from prefillroute.errors import UserError

PAGE = """Gain: **<!-- study: p/part/t | a\\|b | AUC ↑ -->old<!-- /study -->**.

<!-- study: p/part/t -->
old
<!-- /study -->
<!-- study: p/part/none -->stays<!-- /study -->
"""


@pytest.fixture
def study(tmp_path):
    rows = ((Cell("a|b"), Cell("0.70 [0.6, 0.8]", best=True)), (Cell("c"), Cell("–")))
    Sheet("t", "T", ("encoder", "AUC ↑"), rows, pd.DataFrame()).write(tmp_path / "p" / "part")
    return tmp_path


def test_tables_and_cells_are_filled_in_and_what_is_missing_stays(study):
    missing: list[str] = []
    text = filled(PAGE, study, missing)
    assert text.splitlines()[0].endswith("-->0.70 [0.6, 0.8]<!-- /study -->**.")
    assert (
        "-->\n| encoder | AUC ↑ |\n| --- | ---: |\n| a\\|b | **0.70 [0.6, 0.8]** |\n| c | – |\n<!-- /study"
        in text
    )
    assert "-->stays<!--" in text
    assert len(missing) == 1
    assert filled(text, study, []) == text


def test_a_row_that_is_not_there_is_named(study):
    with pytest.raises(UserError, match=r"t.md: expected d \| AUC ↑, found a\\\|b, c"):
        found("p/part/t | d | AUC ↑", study)


def test_the_command_says_what_it_left(study, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert main([str(study), str(page)]) == 1
    said = capsys.readouterr()
    assert "3 places, changed" in said.out
    assert "none.md: expected a table" in said.err
    assert "0.70 [0.6, 0.8]" in page.read_text()
