"""Documentation takes its numbers from a study."""

import json

import pandas as pd
import pytest

from experiments.paper.documented import filled, found, main
from experiments.paper.sheet import Cell, Sheet
from prefillroute.errors import UserError

PAGE = """Gain: **<!-- measured: p/part/t | a\\|b | AUC ↑ -->old<!-- /measured -->**.

<!-- measured: p/part/t -->
old
<!-- /measured -->
<!-- measured: p/part/none -->stays<!-- /measured -->, <!-- measured: a run | hull_gain -->?<!-- /measured -->
"""


@pytest.fixture
def study(tmp_path):
    rows = ((Cell("a|b"), Cell("0.70 [0.6, 0.8]", best=True)), (Cell("c"), Cell("–")))
    Sheet("t", "T", ("encoder", "AUC ↑"), rows, pd.DataFrame()).write(tmp_path / "p" / "part")
    metrics = {"test": {"hull_gain": 0.1083}, "targets": {"a": {}}, "intervals": {"hull_gain": [0.08, 0.13]}}
    (tmp_path / "a run").mkdir()
    (tmp_path / "a run" / "metrics.json").write_text(json.dumps(metrics))
    return tmp_path


def test_tables_and_cells_are_filled_in_and_what_is_missing_stays(study):
    missing: list[str] = []
    text = filled(PAGE, study, missing)
    assert text.splitlines()[0].endswith("-->0.70 [0.6, 0.8]<!-- /measured -->**.")
    assert (
        "-->\n| encoder | AUC ↑ |\n| --- | ---: |\n| a\\|b | **0.70 [0.6, 0.8]** |\n| c | – |\n<!-- /measured"
        in text
    )
    assert "-->stays<!--" in text
    assert "-->+10.83\u00a0pp [+8.00, +13.00]\u00a0pp<!--" in text
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
    assert "4 places, changed" in said.out
    assert "none.md: expected a table" in said.err
    assert "0.70 [0.6, 0.8]" in page.read_text()
