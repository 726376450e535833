"""What every importer has in common."""

import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.validation import check_queries


@pytest.mark.parametrize("bad", ["query_id", "prompt", "target"])
def test_half_an_emoji_leaves_out_its_record(bad):
    collector = Collector()
    texts = {"query_id": "a", "benchmark": "b", "category": "c", "prompt": "p", "target": "m"}
    for row in (texts, texts | {bad: "cut \ud83d"}):
        query = {name: text for name, text in row.items() if name != "target"}
        collector.add(query, row["target"], "here", 1.0)
    queries, outcomes = collector.frames()
    assert (list(queries["query_id"]), list(outcomes["target"])) == (["a"], ["m"])
    (reason,) = collector.skipped
    assert reason.startswith(
        "record with a text that cannot be kept: expected whole characters, found half of one (U+D83D at character 5"
    )


def test_a_table_with_half_an_emoji_is_not_written():
    prompts = pd.Series(["p", "\ud83d"], dtype=object)
    queries = pd.DataFrame({"query_id": ["a", "b"], "benchmark": "x", "category": "x"}).assign(prompt=prompts)
    with pytest.raises(
        UserError, match=r"q: row 2: prompt: expected text without surrogates, found '.*'$"
    ) as caught:
        check_queries(queries, "q")
    assert str(caught.value).isprintable()
