import pandas as pd

from prefillroute.outcomes.estimates import estimated_tokens
from prefillroute.outcomes.files import read_outcomes, write_outcomes


def test_estimates_are_counted_row_by_row_or_taken_from_the_pool(frames, tmp_path):
    queries, outcomes = frames(num_queries=10, num_targets=3)
    outcomes = outcomes.assign(prompt_tokens=5.0, completion_tokens=7.0)
    silent = (outcomes["target"] == "m1") & (outcomes["query_id"] == "q3")
    outcomes.loc[silent, ["prompt_tokens", "completion_tokens"]] = None
    write_outcomes(tmp_path / "pool", queries, outcomes)
    table = read_outcomes(tmp_path / "pool")
    assert estimated_tokens(tmp_path / "pool", table, estimated=False) == (0, 29)
    assert estimated_tokens(tmp_path / "pool", table, estimated=True) == (29, 29)

    marked = outcomes.assign(tokens_estimated=outcomes["target"] == "m1")
    marked["tokens_estimated"] = marked["tokens_estimated"].astype("boolean")
    marked.loc[marked["query_id"] == "q5", "tokens_estimated"] = pd.NA
    write_outcomes(tmp_path / "marked", queries, marked)
    table = read_outcomes(tmp_path / "marked")
    # Of m1's ten rows one has no counts and one does not say.
    assert estimated_tokens(tmp_path / "marked", table, estimated=True) == (8, 29)
    two = read_outcomes(tmp_path / "marked", ["m0", "m2"])
    assert estimated_tokens(tmp_path / "marked", two, estimated=True) == (0, 20)
