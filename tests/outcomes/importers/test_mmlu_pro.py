"""MMLU-Pro's published results."""

import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.outcomes.files import read_outcomes, write_outcomes
from prefillroute.outcomes.importers import mmlu_pro
from prefillroute.outcomes.importers.collector import Collector


def question(number: int, **entries: object) -> dict:
    options = ["first", "second", "third", "N/A"]
    base = {"question_id": number, "question": f"What is {number}?", "options": options, "answer": "B"}
    return base | {"category": "math", "pred": "B", "model_outputs": "x" * 40} | entries


def write_zip(file: Path, members: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, str) else json.dumps(content))


def test_mmlu_pro_layouts_and_names(tmp_path, collected, cells):
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


def test_mmlu_pro_revised_question_and_damage(tmp_path, collected, cells):
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


def test_mmlu_pro_history(tmp_path, cells):
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
def test_mmlu_pro_sample_agrees_with_the_shared_table(real_data, collected):
    collector, queries, outcomes = collected(mmlu_pro, real_data("mmlu_pro_raw"))
    assert len(outcomes) == 90
    assert collector.skipped == {}
    table = pd.read_parquet(real_data("mmlu_pro") / "outcomes.parquet")
    both = outcomes.merge(table, on=["query_id", "target"], suffixes=("", "_shared"))
    assert len(both) == 90
    for measure in ("correct", "prompt_tokens", "completion_tokens"):
        tolerance = 0 if measure == "correct" else 3
        np.testing.assert_allclose(both[measure], both[f"{measure}_shared"].astype(float), atol=tolerance)
    prompts = pd.read_parquet(real_data("mmlu_pro") / "queries.parquet").set_index("query_id")
    found = queries.set_index("query_id")
    assert (found["category"] == prompts.loc[found.index, "category"]).all()
    # Spaces aside: two of the ninety were mended by the owners after these runs ("MargaretDenaultrecently").
    squeezed = [
        prompt.map(lambda text: "".join(text.split())) for prompt in (found["prompt"], prompts["prompt"])
    ]
    assert (squeezed[0] == squeezed[1].loc[found.index]).all()
    assert (found["prompt"] == prompts.loc[found.index, "prompt"]).sum() == 88
