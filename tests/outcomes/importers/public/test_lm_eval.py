"""Open LLM Leaderboard v2: samples of the lm-evaluation-harness."""

import json

import pytest

from prefillroute.errors import UserError

OLD, NEW = "2024-06-16T19-10-04.926831", "2025-01-27T10-10-36.877664"


def sample(number: int, doc: dict, **scores: object) -> dict:
    arguments = {"gen_args_0": {"arg_0": "five examples and the question", "arg_1": " A"}}
    return {"doc_id": number, "doc": doc, "target": "A", "arguments": arguments, "filter": "none"} | scores


def test_questions_scores_and_names(tmp_path, imported, cells, lines):
    first, second = tmp_path / "meta-llama__Llama-3-8B", tmp_path / "Qwen__Qwen2-7B"

    def write(folder, task, *samples, time=NEW):
        lines(folder / f"samples_leaderboard_{task}_{time}.jsonl", samples)

    pro = {"question_id": 70, "question": "Which?", "options": ["red ", "blue"], "category": "art"}
    write(first, "mmlu_pro", sample(0, pro, acc=1.0))
    write(second, "mmlu_pro", sample(0, pro, acc=0.0, acc_norm=0.5))
    write(first, "mmlu_pro", sample(0, pro, acc=0.0), time=OLD)
    write(first, "bbh_snarks", sample(0, {"input": "Sarcastic?", "target": "(A)"}, acc_norm=1))
    write(first, "math_algebra_hard", sample(0, {"problem": "1 + 1", "level": "Level 5"}, exact_match=0))
    write(
        first,
        "ifeval",
        sample(3, {"key": 1, "prompt": "Write."}, prompt_level_strict_acc=True, inst_level_strict_acc=[True]),
    )
    musr = {"narrative": "He went.", "question": "Who?", "choices": "['Ann', \"Bob\"]", "answer_index": 0}
    write(first, "musr_murder_mysteries", sample(0, musr, acc_norm=1.0))
    gpqa = {
        "Question": "Energy? ",
        "choice1": "x",
        "choice2": "y",
        "choice3": "z",
        "choice4": "w",
        "answer": "(A)",
    }
    write(first, "gpqa_main", sample(0, gpqa, acc_norm=0.0))
    collector, queries, outcomes = imported("open-llm-leaderboard", tmp_path)
    llama = "meta-llama/Llama-3-8B"
    assert cells(outcomes) == {
        ("mmlu_pro/0", llama): 1.0,
        ("mmlu_pro/0", "Qwen/Qwen2-7B"): 0.5,
        ("bbh_snarks/0", llama): 1.0,
        ("math_algebra_hard/0", llama): 0.0,
        ("ifeval/3", llama): 1.0,
        ("musr_murder_mysteries/0", llama): 1.0,
        ("gpqa_main/0", llama): 0.0,
    }
    found = queries.set_index("query_id")
    assert found["prompt"].to_dict() == {
        "mmlu_pro/0": "Which?\n\nA. red\nB. blue",
        "bbh_snarks/0": "Sarcastic?",
        "math_algebra_hard/0": "1 + 1",
        "ifeval/3": "Write.",
        "musr_murder_mysteries/0": "He went.\n\nWho?\n\nA. Ann\nB. Bob",
        "gpqa_main/0": "Energy?\n\nA. x\nB. y\nC. z\nD. w",
    }
    assert found["benchmark"]["mmlu_pro/0"] == "mmlu_pro"
    assert (found["category"]["mmlu_pro/0"], found["category"]["ifeval/3"]) == ("art", "ifeval")
    (older,) = collector.skipped.items()
    assert older[0] == "older file of the same model and task"
    assert older[1].example.endswith(f"samples_leaderboard_mmlu_pro_{OLD}.jsonl")


def test_arrays_and_other_questions_under_one_number(tmp_path, imported, cells):
    for model, text in (("a", "old?"), ("b", "new?"), ("c", "new?")):
        folder = tmp_path / f"org__{model}"
        folder.mkdir()
        content = [sample(0, {"input": text}, acc_norm=1.0)]
        (folder / f"samples_leaderboard_bbh_navigate_{OLD}.json").write_text(json.dumps(content))
    collector, queries, outcomes = imported("open-llm-leaderboard", tmp_path)
    assert set(cells(outcomes)) == {("bbh_navigate/0", "org/b"), ("bbh_navigate/0", "org/c")}
    assert queries["prompt"].tolist() == ["new?"]
    assert collector.skipped["another text under the same query id"].count == 1


def test_a_task_that_is_not_known(tmp_path, imported, lines):
    lines(tmp_path / "m" / f"samples_leaderboard_odd_{NEW}.jsonl", [sample(0, {"words": "x"}, acc=1)])
    with pytest.raises(
        UserError,
        match=r"odd_.*jsonl: expected 'doc\.narrative \+ doc\.question \+ doc\.choices' or .*, found the columns",
    ):
        imported("open-llm-leaderboard", tmp_path)
