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
    collector, queries, outcomes = collected(log, file, column=["prompt=question"])
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
        r"log.csv: expected the columns 'correct', found prompt, target; .*--column",
    ),
    "correct": (
        HEADER + "a,p,m0,1,2\nb,p,m0,1.5,2\n",
        r"log.csv: row 2: correct: expected a number in \[0, 1\], .*, found 1.5",
    ),
    "word": (HEADER + "a,p,m0,good,2\n", r"row 1: correct: expected .*, found 'good'"),
    "nan": (HEADER + "a,p,m0,nan,2\n", r"row 1: correct: expected a number in .*, found 'nan'"),
    "tokens": (
        HEADER + "a,p,m0,1,-2\n",
        r"row 1: prompt_tokens: expected a number not below 0, .*, found -2",
    ),
    "empty prompt": (HEADER + "a, ,m0,1,2\n", r"row 1: prompt: expected text, found an empty cell"),
    "empty target": (HEADER + "a,p,,1,2\n", r"row 1: target: expected text, found an empty cell"),
    "duplicate": (
        HEADER + "a,p,m0,1,2\na,p,m0,1,2\n",
        r"row 2: expected one outcome of target 'm0' on query 'a', found a second",
    ),
    "two prompts": (
        HEADER + "a,p,m0,1,2\na,q,m1,1,2\n",
        r"row 2: prompt: expected one prompt per query_id .*, found a second one under 'a'",
    ),
    "cells": (HEADER + "a,p,m0,1\n", r"row 1: expected 5 cells as in the header, found 4"),
    "quote": (HEADER + 'a,"p,m0,1,2\n', r"expected CSV"),
    "header": ("prompt,prompt,target\na,b,c\n", r"header: expected 'prompt' once, found it 2 times"),
    "empty": ("", r"expected a header line and rows, found an empty file"),
    "no rows": (HEADER, r"expected at least one row, found none"),
    "split": (
        "prompt,target,correct,split\np,m,1,dev\n",
        r"row 1: split: expected one of train, calibration, test, found 'dev'",
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
    with pytest.raises(UserError, match=r"log.csv: line 3: expected UTF-8, found byte 0xe9"):
        collected(log, tmp_path / "log.csv")
    (tmp_path / "log.jsonl").write_text('{"prompt": "p"\n')
    with pytest.raises(UserError, match=r"log.jsonl: row 1: expected one object per line, found no JSON"):
        collected(log, tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"row 1: expected a JSON object, found int"):
        collected(log, tmp_path / "log.jsonl")
