import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.importers import llmrouterbench, log, mmlu_pro, routellm
from prefillroute.outcomes.importers.collector import Collector


def quiet(size: int) -> None:
    assert size >= 0


def collected(reader, path: Path, **options: object) -> tuple[Collector, pd.DataFrame, pd.DataFrame]:
    collector = Collector()
    files = reader.find(path)
    if reader is llmrouterbench:
        reader.read_folder(files, collector, quiet)
    else:
        for file in files:
            reader.read(file, collector, quiet, **options)
    return collector, *collector.frames()


def cells(outcomes: pd.DataFrame, measure: str = "correct") -> dict[tuple[str, str], float]:
    return outcomes.set_index(["query_id", "target"])[measure].to_dict()


# MMLU-Pro


def question(number: int, **entries: object) -> dict:
    options = ["first", "second", "third", "N/A"]
    base = {"question_id": number, "question": f"What is {number}?", "options": options, "answer": "B"}
    return base | {"category": "math", "pred": "B", "model_outputs": "x" * 40} | entries


def write_zip(file: Path, members: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, str) else json.dumps(content))


def test_mmlu_pro_layouts_and_names(tmp_path):
    results = tmp_path / "MMLU-Pro" / "eval_results"
    write_zip(
        results / "model_outputs_Meta-Llama-3_1-70B-Instruct_5shots.zip",
        {"a.json": [question(1), question(2)]},
    )
    write_zip(
        results / "model_outputs_Yi-6b-Chat_5shots.zip",
        {
            "math.json": [question(1, pred="A")],
            "law.json": [question(3)],
            "summary.json": {"acc": 1},
            "__MACOSX/x.json": "",
        },
    )
    (results / "gpt4o").mkdir()
    (results / "gpt4o" / "math_result.json").write_text(json.dumps([question(1), question(2, pred="C")]))
    (results / "gpt4o" / "math_summary.json").write_text("{}")
    older = tmp_path / "MMLU-Pro" / "results" / "llama-3-8b-quantized" / "CoT" / "all"
    older.mkdir(parents=True)
    (older / "math.json").write_text(json.dumps([question(2)]))
    collector, queries, outcomes = collected(mmlu_pro, tmp_path / "MMLU-Pro")
    assert cells(outcomes) == {
        ("mmlu_pro:1", "gpt-4o-2024-05-13"): 1,
        ("mmlu_pro:2", "gpt-4o-2024-05-13"): 0,
        ("mmlu_pro:1", "Meta-Llama-3.1-70B-Instruct"): 1,
        ("mmlu_pro:2", "Meta-Llama-3.1-70B-Instruct"): 1,
        ("mmlu_pro:1", "Yi-6B-Chat"): 0,
        ("mmlu_pro:3", "Yi-6B-Chat"): 1,
        ("mmlu_pro:2", "Llama-3-8B-Instruct-quantized"): 1,
    }
    prompt = queries.set_index("query_id")["prompt"]["mmlu_pro:1"]
    assert prompt == "What is 1?\n\nA. first\nB. second\nC. third"
    assert set(outcomes["completion_tokens"]) == {10.0}
    assert set(outcomes["prompt_tokens"]) == {round(len(prompt) / 4) + 30 + 1061}
    assert collector.skipped == {}
    write_outcomes(tmp_path / "out", queries, outcomes)
    assert read_outcomes(tmp_path / "out").correct.shape == (3, 4)


@pytest.mark.parametrize(
    ("record", "letter"),
    [
        ({"pred": "C"}, "C"),
        ({"pred": None, "response": "So the answer is **B. both**."}, "B"),
        ({"pred": None, "response": "The answer is (D)"}, "D"),
        ({"pred": None, "model_outputs": "The closest is\nAnswer: F\n"}, "F"),
        ({"pred": None, "model_outputs": "the answer is $\\boxed{A}$"}, "A"),
        ({"pred": None, "model_outputs": "The answer is not listed. Alas"}, None),
        ({"pred": None, "model_outputs": "cut off before it sa"}, None),
        ({"pred": None}, None),
    ],
)
def test_mmlu_pro_answers(record, letter):
    assert mmlu_pro.answer_letter(record) == letter


def test_mmlu_pro_revised_question_and_damage(tmp_path):
    for name, text in (("a", "What is 1?"), ("b", "What  is 1?"), ("c", "What is one?")):
        write_zip(tmp_path / f"model_outputs_{name}_5shots.zip", {"r.json": [question(1, question=text)]})
    write_zip(
        tmp_path / "model_outputs_d_5shots.zip", {"r.json": [{"pred": "A"}, question(2)], "t.json": "[{"}
    )
    (tmp_path / "model_outputs_e_5shots.zip").write_bytes(b"PK half a zip")
    collector, _, outcomes = collected(mmlu_pro, tmp_path)
    assert set(cells(outcomes)) == {("mmlu_pro:1", "a"), ("mmlu_pro:1", "b"), ("mmlu_pro:2", "d")}
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "record without question_id, question, options, answer or category": 1,
        "not a whole JSON file": 1,
        "not a whole zip file": 1,
        "another text under the same query id": 1,
    }
    report = collector.report(outcomes)
    assert (report.queries, report.outcomes, report.complete) == (2, 3, 0)


def test_mmlu_pro_history(tmp_path):
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t")
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    folder = tmp_path / "eval_results" / "merged"
    folder.mkdir(parents=True)
    (folder / "math_result.json").write_text(json.dumps([question(7)]))
    git("add", "-A")
    git("commit", "-qm", "run")
    commit = git("rev-parse", "HEAD")
    git("rm", "-rq", "eval_results")
    git("commit", "-qm", "removed")
    collector = Collector()
    history = {"old": (commit, "eval_results/merged"), "lost": ("0" * 40, "eval_results/lost")}
    assert mmlu_pro.find(tmp_path) == []
    mmlu_pro.read_history(tmp_path, collector, history)
    assert cells(collector.frames()[1]) == {("mmlu_pro:7", "old"): 1.0}
    assert (
        "lost" in collector.skipped["run not in this clone's history (was it cloned with --depth?)"].example
    )
    before = len(collector.frames()[1])
    mmlu_pro.read_history(tmp_path, collector, {"old": (commit, "eval_results/merged")})
    assert len(collector.frames()[1]) == before


@pytest.mark.shared_data
def test_mmlu_pro_sample_agrees_with_the_shared_table(shared_data):
    collector, queries, outcomes = collected(mmlu_pro, shared_data / "mmlu_pro_raw")
    assert len(outcomes) == 90
    assert collector.skipped == {}
    table = pd.read_parquet(shared_data / "mmlu_pro" / "outcomes.parquet")
    both = outcomes.merge(table, on=["query_id", "target"], suffixes=("", "_shared"))
    assert len(both) == 90
    for measure in ("correct", "prompt_tokens", "completion_tokens"):
        tolerance = 0 if measure == "correct" else 3
        np.testing.assert_allclose(both[measure], both[f"{measure}_shared"].astype(float), atol=tolerance)
    prompts = pd.read_parquet(shared_data / "mmlu_pro" / "queries.parquet").set_index("query_id")
    found = queries.set_index("query_id")
    assert (found["category"] == prompts.loc[found.index, "category"]).all()
    # Spaces aside: two of the ninety were mended by the owners after these runs ("MargaretDenaultrecently").
    squeezed = [
        prompt.map(lambda text: "".join(text.split())) for prompt in (found["prompt"], prompts["prompt"])
    ]
    assert (squeezed[0] == squeezed[1].loc[found.index]).all()
    assert (found["prompt"] == prompts.loc[found.index, "prompt"]).sum() == 88


# LLMRouterBench


def record(index: int, **entries: object) -> dict:
    base = {"index": index, "origin_query": f"query {index}", "prompt": f"Q: query {index} A:", "score": 1.0}
    return base | {"prompt_tokens": 20, "completion_tokens": 5, "cost": 0.001} | entries


def write_result(
    root: Path, dataset: str, split: str, model: str, stamp: str, records: list, **top: object
) -> Path:
    file = root / dataset / split / model / f"{dataset}-{split}-{model}-{stamp}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "dataset_name": dataset,
        "split": split,
        "model_name": model,
        "demo": False,
        "records": records,
    } | top
    file.write_text(json.dumps(content))
    return file


def test_llmrouterbench(tmp_path):
    root = tmp_path / "results" / "bench"
    write_result(root, "aime", "hybrid", "gpt-5", "20250901_120000", [record(1, score=0.0), record(2)])
    write_result(root, "aime", "hybrid", "gpt-5", "20251001_120000", [record(1), record(2, score=0.5)])
    write_result(root, "aime", "hybrid", "gpt-5", "20251101_120000", [record(1, score=0.0)], demo=True)
    write_result(root, "aime", "hybrid", "glm", "20251001_120000", [
        record(1, cost=0.0), record(2, score=None), record(3, score=7), record(4, origin_query="", prompt=""),
        record(5, origin_query=[{"role": "system", "content": "be"}, {"role": "user", "content": "kind"}]),
        {"score": 1},
    ])  # fmt: skip
    write_result(root, "gpqa", "test", "gpt-5", "20251001_120000", [record(1, origin_query=None, score=True)])
    broken = write_result(root, "gpqa", "test", "glm", "20251001_120000", [])
    broken.write_text('{"records": [')
    collector, queries, outcomes = collected(llmrouterbench, tmp_path)
    assert cells(outcomes) == {
        ("aime/hybrid/1", "gpt-5"): 1.0,
        ("aime/hybrid/2", "gpt-5"): 0.5,
        ("aime/hybrid/1", "glm"): 1.0,
        ("aime/hybrid/5", "glm"): 1.0,
        ("gpqa/test/1", "gpt-5"): 1.0,
    }
    prompts = queries.set_index("query_id")["prompt"]
    assert prompts["aime/hybrid/1"] == "query 1"
    assert prompts["aime/hybrid/5"] == "be\n\nkind"
    assert prompts["gpqa/test/1"] == "Q: query 1 A:"
    assert set(queries["benchmark"]) == {"aime", "gpqa"}
    assert np.isnan(cells(outcomes, "cost_usd")[("aime/hybrid/1", "glm")])
    assert cells(outcomes, "cost_usd")[("aime/hybrid/1", "gpt-5")] == 0.001
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "demo run": 1,
        "older file of the same dataset, split and model": 1,
        "no score": 1,
        "score outside [0, 1]": 1,
        "record without query text": 1,
        "record without index": 1,
        "not a whole JSON file": 1,
    }
    assert collector.notes == ["1 outcomes say cost 0 (run locally): taken as unknown"]
    write_outcomes(tmp_path / "out", queries, outcomes)


@pytest.mark.parametrize("below", ["", "results", "results/bench"])
def test_llmrouterbench_is_found_from_any_level(tmp_path, below):
    write_result(tmp_path / "results" / "bench", "aime", "hybrid", "gpt-5", "20250901_120000", [record(1)])
    assert len(llmrouterbench.find(tmp_path / below)) == 1


def test_llmrouterbench_broken_newest_file_falls_back(tmp_path):
    write_result(tmp_path, "aime", "hybrid", "gpt-5", "20250901_120000", [record(1, score=0.25)])
    write_result(tmp_path, "aime", "hybrid", "gpt-5", "20251001_120000", []).write_text("{")
    collector, _, outcomes = collected(llmrouterbench, tmp_path)
    assert cells(outcomes) == {("aime/hybrid/1", "gpt-5"): 0.25}
    assert collector.skipped["not a whole JSON file"].count == 1


# RouteLLM


def test_routellm(tmp_path):
    mmlu = tmp_path / "routellm" / "evals" / "mmlu"
    (mmlu / "responses").mkdir(parents=True)
    (mmlu / "responses" / "mmlu_abstract_algebra.csv").write_text(
        'prompt,mixtral,gpt-4\n"Find it.\nA. 0\nAnswer:",True,False\n'
        "seen before,True,True\n,True,True\nodd,maybe,True\n"
    )
    (mmlu / "contaminated_prompts.jsonl").write_text(json.dumps({"eval_prompt": "seen before"}) + "\n")
    gsm8k = tmp_path / "routellm" / "evals" / "gsm8k"
    gsm8k.mkdir()
    (gsm8k / "gsm8k_responses.csv").write_text(
        'prompt,mixtral,gpt-4,mixtral_response,gpt-4_response\nHow many?,False,True," Eight, or so",\n'
    )
    collector, queries, outcomes = collected(routellm, tmp_path)
    assert cells(outcomes) == {
        ("gsm8k:gsm8k:1", "mixtral"): 0,
        ("gsm8k:gsm8k:1", "gpt-4"): 1,
        ("mmlu:abstract_algebra:1", "mixtral"): 1,
        ("mmlu:abstract_algebra:1", "gpt-4"): 0,
        ("mmlu:abstract_algebra:4", "gpt-4"): 1,
    }
    assert cells(outcomes, "completion_tokens")[("gsm8k:gsm8k:1", "mixtral")] == 3
    found = queries.set_index("query_id")
    assert tuple(found.loc["mmlu:abstract_algebra:1", ["benchmark", "category"]]) == (
        "mmlu",
        "abstract_algebra",
    )
    assert found.loc["mmlu:abstract_algebra:1", "prompt"] == "Find it.\nA. 0\nAnswer:"
    assert {reason: entry.count for reason, entry in collector.skipped.items()} == {
        "contaminated prompt (the owners leave it out)": 1,
        "record without query text": 1,
        "no True or False": 1,
    }


def test_routellm_wrong_columns(tmp_path):
    (tmp_path / "x_responses.csv").write_text("question,answer\na,b\n")
    with pytest.raises(UserError, match=r"columns are question, answer; expected prompt and one per model"):
        collected(routellm, tmp_path)


# A user's own log


def test_csv_log(tmp_path):
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
    assert collector.notes == ["log.csv: columns left out: notes"]
    write_outcomes(tmp_path / "out", queries, outcomes)
    table = read_outcomes(tmp_path / "out")
    np.testing.assert_array_equal(table.correct, [[1, 0], [0.25, np.nan]])


def test_jsonl_log_with_split(tmp_path):
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
    "nan": (HEADER + "a,p,m0,nan,2\n", r"row 1: correct is nan"),
    "tokens": (HEADER + "a,p,m0,1,-2\n", r"row 1: prompt_tokens is -2; expected a number not below 0"),
    "empty prompt": (HEADER + "a, ,m0,1,2\n", r"row 1: prompt is empty; expected text"),
    "empty target": (HEADER + "a,p,,1,2\n", r"row 1: target is empty"),
    "duplicate": (HEADER + "a,p,m0,1,2\na,p,m0,1,2\n", r"row 2: second outcome of target 'm0' on query 'a'"),
    "two prompts": (HEADER + "a,p,m0,1,2\na,q,m1,1,2\n", r"row 2: second prompt under query_id 'a'"),
    "cells": (HEADER + "a,p,m0,1\n", r"row 1: 4 cells; expected 5 as in the header"),
    "quote": (HEADER + 'a,"p,m0,1,2\n', r"expected CSV"),
    "header": ("prompt,prompt,target\na,b,c\n", r"header has 'prompt' 2 times"),
    "empty": ("", r"empty file; expected a header line and rows"),
    "no rows": (HEADER, r"no rows; expected at least one outcome"),
    "split": (
        "prompt,target,correct,split\np,m,1,dev\n",
        r"row 1: split is 'dev'; expected one of train, calibration, test",
    ),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_bad_logs(tmp_path, case):
    content, message = BAD_LOGS[case]
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        collected(log, tmp_path / "log.csv")
    assert "\n" not in str(caught.value)


def test_logs_that_are_not_text(tmp_path):
    (tmp_path / "log.csv").write_bytes(HEADER.encode() + b"a,ok,m0,1,2\nb,caf\xe9,m0,1,2\n")
    with pytest.raises(UserError, match=r"log.csv: line 3: byte 0xe9 is not UTF-8"):
        collected(log, tmp_path / "log.csv")
    (tmp_path / "log.jsonl").write_text('{"prompt": "p"\n')
    with pytest.raises(UserError, match=r"log.jsonl: row 1: not JSON"):
        collected(log, tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text("[1]\n")
    with pytest.raises(UserError, match=r"row 1: list; expected a JSON object"):
        collected(log, tmp_path / "log.jsonl")


@pytest.mark.parametrize("reader", [mmlu_pro, llmrouterbench, routellm, log])
def test_empty_folder(tmp_path, reader):
    with pytest.raises(UserError, match=r"no (results|responses|log)"):
        reader.find(tmp_path)
