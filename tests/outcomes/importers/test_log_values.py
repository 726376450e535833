"""Values of a log stay what they are; names that look alike are neither merged nor split without a word."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers import log
from prefillroute.outcomes.importers.records.read import SUFFIXES


@pytest.fixture
def of_rows(tmp_path, collected):
    """`of_rows([...], "log.jsonl", **options)`: the collector and its tables."""

    def read(rows: list[dict], name: str = "log.jsonl", **options):
        file = tmp_path / name
        if name.endswith(".jsonl"):
            file.write_text("\n".join(map(json.dumps, rows)))
        elif name.endswith(".parquet"):
            pd.DataFrame(rows).to_parquet(file)
        else:
            pd.DataFrame(rows).to_csv(file, index=False)
        return collected(log, file, **options)

    return read


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (0, 0), (1, 1), (0.0, 0), (0.5, 0.5), (False, 0), (True, 1), ("0", 0), ("1.0", 1), ("false", 0), ("TRUE", 1),
        ("yes", 1), ("No", 0), (" y ", 1), ("correct", 1), ("wrong", 0), ("50%", 0.5), ("100 %", 1), ("0,5", 0.5),
        ("0,125", 0.125), ("1e-3", 0.001), (None, math.nan), ("", math.nan), (" ", math.nan), (math.nan, math.nan),
    ],
)  # fmt: skip
def test_correct(of_rows, cell, value):
    rows = [{"prompt": "p", "target": "a", "correct": cell}, {"prompt": "p", "target": "b", "correct": 1}]
    _, _, outcomes = of_rows(rows)
    np.testing.assert_array_equal(outcomes["correct"], [value, 1])


@pytest.mark.parametrize(
    "cell",
    [
        2,
        -1,
        50,
        "50",
        "101%",
        "maybe",
        "nan",
        "inf",
        math.inf,
        [1],
        {"value": 1},
        "1,000",
        "1.5",
        "½",
        "%",
        10**400,
    ],
)
def test_correct_that_is_none(of_rows, cell):
    rows = [{"prompt": "p", "target": "a", "correct": 1}, {"prompt": "p", "target": "b", "correct": cell}]
    with pytest.raises(
        UserError, match=r"log.jsonl: row 2: correct: expected a number in \[0, 1\], .*, found "
    ) as caught:
        of_rows(rows)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["1,234", "12,345,678", True, "many", -1, "-0.1", "inf", math.inf, [3], "$1"]
)
def test_measure_that_is_none(of_rows, cell):
    row = {"prompt": "p", "target": "a", "correct": 1, "cost_usd": cell}
    with pytest.raises(
        UserError, match=r"log.jsonl: row 1: cost_usd: expected a number not below 0, .*, found "
    ):
        of_rows([row])


def test_falsy_values_stay(of_rows):
    row = {
        "query_id": 0, "prompt": 0, "target": False, "correct": 0, "benchmark": 0, "category": False,
        "prompt_tokens": 0, "completion_tokens": "0", "cost_usd": 0.0, "latency_s": None, "near_dup_group": 0,
    }  # fmt: skip
    collector, queries, outcomes = of_rows([row, row | {"query_id": 1, "prompt": False}])
    assert queries.to_dict("records") == [
        {"query_id": "0", "benchmark": "0", "category": "false", "prompt": "0", "near_dup_group": "0"},
        {"query_id": "1", "benchmark": "0", "category": "false", "prompt": "false", "near_dup_group": "0"},
    ]
    assert list(outcomes["target"]) == ["false", "false"]
    assert (
        outcomes[["correct", "prompt_tokens", "completion_tokens", "cost_usd"]].to_numpy().tolist()
        == [[0.0] * 4] * 2
    )
    assert "latency_s" not in outcomes
    assert collector.notes == []


def test_zero_false_and_text_are_different_prompts(of_rows):
    rows = [{"prompt": prompt, "target": "a", "correct": 1} for prompt in (0, False, 0.0, 1, True, 1.0)]
    _, queries, _ = of_rows(rows)
    assert list(queries["prompt"]) == ["0", "false", "0.0", "1", "true", "1.0"]


def test_numbers_as_ids_are_one_id(of_rows, tmp_path, collected):
    of_rows([{"query_id": 1, "prompt": "p", "target": "a", "correct": 1}])
    of_rows([{"query_id": 1.0, "prompt": "p", "target": "b", "correct": 1}], "b.jsonl")
    of_rows([{"query_id": 1.0, "prompt": "p", "target": "c", "correct": 1}], "c.parquet")
    of_rows([{"query_id": 1.0, "prompt": "p", "target": "d", "correct": 1}], "d.csv")
    collector, queries, outcomes = collected(log, tmp_path)
    assert list(queries["query_id"]) == ["1"]
    assert sorted(outcomes["target"]) == ["a", "b", "c", "d"]
    assert outcomes["query_id"].nunique() == 1
    assert collector.notes == [
        "1 query ids are a number written in two ways, with one prompt; each is one query (for instance '1.0' is '1')"
    ]


def test_ids_with_another_prompt_stay_apart(of_rows):
    rows = [
        {"query_id": name, "prompt": name, "target": "a", "correct": 1}
        for name in ("1", "1.0", "a", "a ", "A", "1.10")
    ]
    collector, queries, _ = of_rows(rows)
    assert list(queries["query_id"]) == ["1", "1.0", "a", "a ", "A", "1.10"]
    assert collector.notes == [
        "query ids '1' and '1.0' differ only as numbers are written; 'a' and 'a ' and 'A' differ only by case, "
        "blanks or accents: they are kept apart; expected one spelling where one is meant"
    ]


def test_targets_that_look_alike_are_named(of_rows):
    names = ["gpt", "gpt ", "o3", "O3", "é", "e\u0301", "other"]
    rows = [{"prompt": "p", "target": name, "correct": 1} for name in names]
    collector, _, outcomes = of_rows(rows)
    report = collector.report(outcomes)
    assert report.targets == tuple(names)
    assert report.notes == [
        "targets 'gpt' and 'gpt ' differ only by blanks; 'o3' and 'O3' differ only by case; 'é' and 'e\u0301' differ "
        "only by case, blanks or accents: they are kept apart; expected one spelling where one is meant"
    ]


def test_headers_in_another_case_or_with_blanks(tmp_path, collected):
    (tmp_path / "log.csv").write_text("\ufeff Prompt,TARGET, correct ,Prompt_Tokens\np,a,1,3\n", "utf-8")
    collector, _, outcomes = collected(log, tmp_path / "log.csv")
    assert outcomes[["target", "correct", "prompt_tokens"]].to_numpy().tolist() == [["a", 1.0, 3.0]]
    assert collector.notes == []
    (tmp_path / "log.csv").write_text("Prompt,PROMPT,target,correct\np,q,a,1\n")
    with pytest.raises(
        UserError,
        match=r"expected one 'prompt', found columns 'Prompt' and 'PROMPT', which differ in case or blanks only",
    ):
        collected(log, tmp_path / "log.csv")
    (tmp_path / "log.csv").write_text("Prompt,prompt,target,correct\np,q,a,1\n")
    collector, queries, _ = collected(log, tmp_path / "log.csv")
    assert list(queries["prompt"]) == ["q"]
    assert collector.notes == ["log.csv: columns left out: Prompt"]


@pytest.mark.parametrize(
    "column", ["query_id", "prompt", "target", "benchmark", "category", "near_dup_group"]
)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            "cut \ud83d",
            r"expected whole characters, found half of one \(U\+D83D at character 5, an emoji cut in two\?\)",
        ),
        ("a\0b", r"expected text, found a NUL character at character 2"),
        (["a"], r"expected text, found a list \(\['a'\]\)"),
        ({"role": "user"}, r"expected text, found a dict \(.*\)"),
    ],
)
def test_text_that_is_none(of_rows, column, bad, message):
    good = {"query_id": "a", "prompt": "\U0001f600 漢字", "target": "a", "correct": 1} | {column: "x"}
    with pytest.raises(UserError, match=rf"log.jsonl: row 2: {column}: {message}"):
        of_rows([good, good | {"query_id": "b", "prompt": "q"} | {column: bad}])


def test_byte_order_marks_before_a_text_are_the_files_and_within_it_the_users(of_rows):
    rows = [{"prompt": "\ufeff\ufeffWhat\ufeff?", "target": "\ufeffa", "correct": 1}]
    _, queries, outcomes = of_rows(rows)
    assert (list(queries["prompt"]), list(outcomes["target"])) == (["What\ufeff?"], ["a"])


def test_rows_of_a_query_that_contradict_each_other(of_rows):
    row = {"query_id": "a", "prompt": "p", "target": "x", "correct": 1, "split": "train", "near_dup_group": 1}
    for name, other in (("split", "test"), ("near_dup_group", "2")):
        with pytest.raises(
            UserError,
            match=rf"row 2: {name}: expected '{row[name]}' as in another row of .*, found '{other}'",
        ):
            of_rows([row, row | {"target": "y", name: other}])
    collector, queries, _ = of_rows([row | {"benchmark": "b"}, row | {"target": "y", "benchmark": "c"}])
    assert list(queries["benchmark"]) == ["b"]
    assert (
        "query 'a' has different values of benchmark; the first is kept (1 times in this log)"
        in collector.notes
    )


def test_split_in_one_file_only(tmp_path, collected):
    (tmp_path / "a.csv").write_text("prompt,target,correct,split\np,a,1,train\n")
    (tmp_path / "b.csv").write_text("prompt,target,correct\nq,a,1\n")
    with pytest.raises(
        UserError,
        match=r"split: expected one of train, cal.*, found none for query '.*' and one for query '.*'",
    ):
        collected(log, tmp_path)


SAMPLES = [("a", 1, 10), ("a", 0, 20), ("b", 1, None), ("a", None, 60), ("b", None, None)]


def test_repeated_samples_are_refused_by_default(of_rows):
    rows = [
        {"query_id": "q", "prompt": "p", "target": t, "correct": c, "cost_usd": cost}
        for t, c, cost in SAMPLES
    ]
    with pytest.raises(
        UserError,
        match=r"row 2: expected one outcome of target 'a' on query 'q', found a second; --repeats mean",
    ):
        of_rows(rows)


def test_repeated_samples_as_soft_labels(of_rows):
    rows = [
        {"query_id": "q", "prompt": "p", "target": t, "correct": c, "cost_usd": cost}
        for t, c, cost in SAMPLES
    ]
    rows.append({"query_id": "r", "prompt": "r", "target": "a", "correct": 0.25, "cost_usd": 1})
    collector, _, outcomes = of_rows(rows, repeats="mean")
    expected = (
        pd.DataFrame(rows)
        .astype({"correct": float})
        .groupby(["query_id", "target"], sort=False)
        .mean(numeric_only=True)
    )
    found = outcomes.set_index(["query_id", "target"])[["correct", "cost_usd"]]
    pd.testing.assert_frame_equal(found, expected[["correct", "cost_usd"]].astype(float))
    assert list(found["correct"]) == [0.5, 1.0, 0.25]
    assert collector.notes == ["6 rows became 3 outcomes: means over repeated samples"]


def test_first_of_repeated_samples(of_rows):
    rows = [
        {"query_id": "q", "prompt": "p", "target": t, "correct": c, "cost_usd": cost}
        for t, c, cost in SAMPLES
    ]
    collector, _, outcomes = of_rows(rows, repeats="first")
    assert outcomes[["target", "correct"]].to_numpy().tolist() == [["a", 1.0], ["b", 1.0]]
    entry = collector.skipped["second outcome of a target on a query"]
    assert (entry.count, entry.example.endswith("log.jsonl: row 2")) == (3, True)


def test_folder_of_every_format(tmp_path, collected):
    rows = pd.DataFrame({"prompt": ["p", "q"], "target": "a", "correct": [1, 0], "note": "x"})
    (tmp_path / "sub").mkdir()
    rows.assign(target="csv").to_csv(tmp_path / "a.csv.gz", index=False)
    rows.assign(target="tsv").to_csv(tmp_path / "sub" / "b.TSV", index=False, sep="\t")
    rows.assign(target="json").to_json(tmp_path / "c.json", orient="records")
    rows.assign(target="jsonl").to_json(tmp_path / "d.jsonl.gz", orient="records", lines=True)
    rows.assign(target="parquet").to_parquet(tmp_path / "e.parquet")
    (tmp_path / "questions.csv").write_text("question,answer\na,b\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "config.json").write_text('{"version": 1}')
    (tmp_path / "README.md").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    collector, queries, outcomes = collected(log, tmp_path)
    assert len(queries) == 2
    assert sorted(outcomes["target"]) == sorted(["csv", "tsv", "json", "jsonl", "parquet"] * 2)
    assert outcomes.groupby("target")["correct"].apply(list).tolist() == [[1, 0]] * 5
    assert collector.notes[0] == "a.csv.gz, c.json, d.jsonl.gz, e.parquet, b.TSV: columns left out: note"
    left_out = sorted(note.split(";")[0] for note in collector.notes[1:])
    assert left_out == [
        f"left out README.md: expected {SUFFIXES}, found .md",
        "left out config.json: expected the columns 'prompt', 'target', 'correct', found version",
        "left out empty.csv: expected a header line and rows, found an empty file",
        "left out questions.csv: expected the columns 'prompt', 'target', 'correct', found question, answer",
    ]
    (tmp_path / "half.csv").write_text("prompt,target\np,x\n")
    with pytest.raises(UserError, match=r"half.csv: expected the columns 'correct', found prompt, target"):
        collected(log, tmp_path)


def test_order_of_columns_and_keys_that_come_late(of_rows):
    rows = [{"prompt": "p", "target": "a"}, {"correct": 1, "target": "b", "prompt": "p", "ttft_s": 0.5}]
    _, _, outcomes = of_rows(rows)
    np.testing.assert_array_equal(outcomes["correct"], [np.nan, 1])
    np.testing.assert_array_equal(outcomes["ttft_s"], [np.nan, 0.5])
