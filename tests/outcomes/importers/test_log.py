"""A user's own log, CSV or JSONL."""

import json

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.importers import log


def test_csv_log(tmp_path, collected, cells):
    file = tmp_path / "log.csv"
    file.write_text(
        "question,target,correct,completion_tokens,latency_s,notes\n"
        '"two  lines\nhere",m0,1,12,0.5,x\n'
        '"two lines\nhere",m1,false,,,\n'
        "other,m0,0.25,7,,\n"
        "other,m1,,9,1,\n",
        encoding="utf-8",
    )
    collector, queries, outcomes = collected(log, file, columns={"prompt": "question"})
    first, second = queries["query_id"]
    found = cells(outcomes)
    assert found.pop((second, "m1")) != 0  # NaN: called, not scored
    assert found == {(first, "m0"): 1.0, (first, "m1"): 0.0, (second, "m0"): 0.25}
    assert len(first) == 16
    assert set(queries["benchmark"]) == {"log"}
    assert cells(outcomes, "completion_tokens")[(second, "m1")] == 9
    assert "prompt_tokens" not in outcomes
    assert collector.notes == [
        "log.csv: columns left out: notes",
        f"query '{first}' has prompts that differ in blanks; the first is kept (1 times in this log)",
    ]
    write_outcomes(tmp_path / "out", queries, outcomes)
    table = read_outcomes(tmp_path / "out")
    np.testing.assert_array_equal(table.correct, [[1, 0], [0.25, np.nan]])


def test_jsonl_log_with_split(tmp_path, collected, cells):
    rows = [
        {
            "query_id": "a",
            "prompt": "p",
            "target": "m0",
            "correct": True,
            "split": "train",
            "benchmark": "b",
            "cost_usd": 0,
        },
        {"query_id": "a", "prompt": "p", "target": "m1", "correct": 0, "split": "train", "benchmark": "b"},
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("\ufeff" + "\n\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    _, queries, outcomes = collected(log, file)
    assert queries.to_dict("records") == [
        {"query_id": "a", "benchmark": "b", "category": "b", "prompt": "p", "split": "train"}
    ]
    assert cells(outcomes) == {("a", "m0"): 1.0, ("a", "m1"): 0.0}
    assert cells(outcomes, "cost_usd")[("a", "m0")] == 0


HEADER = "query_id,prompt,target,correct,prompt_tokens\n"
BAD_LOGS = {
    "missing column": (
        "prompt,target\np,m0\n",
        r"log.csv: no column 'correct'; found prompt, target, .*--column",
    ),
    "correct": (
        HEADER + "a,p,m0,1,2\nb,p,m0,1.5,2\n",
        r"log.csv: row 2: correct is 1.5; expected a number in \[0, 1\]",
    ),
    "word": (HEADER + "a,p,m0,good,2\n", r"row 1: correct is 'good'"),
    "nan": (HEADER + "a,p,m0,nan,2\n", r"row 1: correct is 'nan'; expected a number in"),
    "tokens": (HEADER + "a,p,m0,1,-2\n", r"row 1: prompt_tokens is -2; expected a number not below 0"),
    "empty prompt": (HEADER + "a, ,m0,1,2\n", r"row 1: prompt is empty; expected text"),
    "empty target": (HEADER + "a,p,,1,2\n", r"row 1: target is empty"),
    "duplicate": (HEADER + "a,p,m0,1,2\na,p,m0,1,2\n", r"row 2: second outcome of target 'm0' on query 'a'"),
    "two prompts": (
        HEADER + "a,p,m0,1,2\na,q,m1,1,2\n",
        r"row 2: prompt is a second prompt under query_id 'a'",
    ),
    "cells": (HEADER + "a,p,m0,1\n", r"row 1: 4 cells; expected 5 as in the header"),
    "quote": (HEADER + 'a,"p,m0,1,2\n', r"expected CSV"),
    "header": ("prompt,prompt,target\na,b,c\n", r"header has 'prompt' 2 times"),
    "empty": ("", r"empty file; expected a header line and rows"),
    "no rows": (HEADER, r"no rows; expected at least one"),
    "split": (
        "prompt,target,correct,split\np,m,1,dev\n",
        r"row 1: split is 'dev'; expected one of train, calibration, test",
    ),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_bad_logs(tmp_path, case, collected):
    content, message = BAD_LOGS[case]
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        collected(log, tmp_path / "log.csv")
    assert "\n" not in str(caught.value)


def test_logs_that_are_not_text(tmp_path, collected):
    (tmp_path / "log.csv").write_bytes(HEADER.encode() + b"a,ok,m0,1,2\nb,caf\xe9,m0,1,2\n")
    with pytest.raises(UserError, match=r"log.csv: line 3: byte 0xe9 is not UTF-8"):
        collected(log, tmp_path / "log.csv")
    (tmp_path / "log.jsonl").write_text('{"prompt": "p"\n')
    with pytest.raises(UserError, match=r"log.jsonl: row 1: not JSON"):
        collected(log, tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"row 1: int; expected a JSON object"):
        collected(log, tmp_path / "log.jsonl")
