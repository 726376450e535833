import json
import resource

import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.router.decision import Decision
from prefillroute.router.decisions_file import write_decisions
from prefillroute.router.queries import Query

QUERIES = [Query("a", "one"), Query("b", "two")]
DECISIONS = [
    Decision(
        "small",
        "vendor/small",
        {"small": 0.6, "big": 0.7},
        {"small": 1e-5, "big": 2e-4},
        ["small", "big"],
        "lambda=0.3",
        5,
        9,
        cut,
    )
    for cut in (False, True)
]


def test_jsonl_holds_the_decision_as_it_is(tmp_path):
    path = tmp_path / "new" / "out.jsonl"
    write_decisions(path, QUERIES, DECISIONS)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert rows == [
        {"query_id": query.query_id, **decision.to_dict()}
        for query, decision in zip(QUERIES, DECISIONS, strict=True)
    ]


def test_parquet_has_a_column_per_target(tmp_path):
    write_decisions(tmp_path / "out.parquet", QUERIES, DECISIONS)
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert list(frame["query_id"]) == ["a", "b"]
    assert list(frame["truncated"]) == [False, True]
    assert frame["confidence/big"].tolist() == [0.7, 0.7]
    assert frame["cost_usd/small"].tolist() == [1e-5, 1e-5]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_full_disk_leaves_the_older_file_as_it_was(tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    write_decisions(path, QUERIES, DECISIONS)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(UserError, match="nothing was written"):
            write_decisions(path, QUERIES, DECISIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_unknown_suffix_and_unwritable_folder(tmp_path):
    with pytest.raises(UserError, match=r"expected a suffix among .jsonl, .parquet, found '.csv'"):
        write_decisions(tmp_path / "out.csv", QUERIES, DECISIONS)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a writable folder"):
        write_decisions(tmp_path / "file" / "out.jsonl", QUERIES, DECISIONS)
