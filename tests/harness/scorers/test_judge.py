"""The LLM judge, against a loopback server that gives recorded replies."""

import ast
import asyncio
import importlib.util
from pathlib import Path

import pytest

from prefillroute.errors import UserError
from prefillroute.harness.questions import Question
from prefillroute.harness.scorers.judge import Judge
from prefillroute.harness.scorers.judgement import PROMPT, read_judgement

MODEL = "openai-api/loopback/judge-1"
YES_JSON = '{"extracted_final_answer": "42", "reasoning": "They match.", "correct": "yes", "confidence": 90}'
NO_TEXT = """extracted_final_answer: None

reasoning: The response stops before it gives an answer, so there is no \\boxed{final} answer to compare with 42.

correct: no

confidence: 100"""
BOTH = "reasoning: The value matches, so correct: yes.\n\ncorrect: no\nconfidence: 80"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (YES_JSON, True),
        (NO_TEXT, False),
        (f"```json\n{YES_JSON}\n```", True),
        ("extracted_final_answer: 42\nreasoning: same\ncorrect: Yes.\nconfidence: 100%", True),
        ("**extracted_final_answer**: 42\n\n**correct**: **no**", False),
        ("**correct:** yes", True),
        (
            '{"extracted_final_answer": "\\frac{1}{2}", "reasoning": "0|\\%| off", "correct": "no", "conf',
            False,
        ),
        ('{"correct": true, "extracted_final_answer": 42}', True),
        ('{"correct": "No, it does not"}', None),
        ('{"correct": "yes/no"}', None),
        ("correct: yes or no", None),
        ("correct: Answer 'yes' if extracted_final_answer matches the [correct_answer]", None),
        ("[correct_answer]: yes\nextracted_final_answer: yes", None),
        ("The response is incorrect: no match.", None),
        (BOTH, None),
        ("I'm sorry, I can't help with that.", None),
        ("{" * 100_000, None),
        ("[" * 100_000 + '{"a":' * 100_000 + "}", None),
        ("", None),
    ],
)
def test_replies_are_read(reply, verdict):
    found = read_judgement(reply)
    assert (None if found is None else found.correct) is verdict


def test_answer_and_reasoning_are_kept():
    for reply in (YES_JSON, "extracted_final_answer: **42**\nreasoning: They match.\ncorrect: yes"):
        found = read_judgement(reply)
        assert found is not None
        assert (found.answer, found.reasoning) == ("42", "They match.")


def test_verdict_and_cost(judge_server, scored):
    judge_server.replies = [YES_JSON]
    judge = Judge(MODEL, price_in=2.0, price_out=10.0)
    judge.check()
    assert judge_server.requests == []
    verdict = scored(judge, "It is {42}.", answer="42", prompt="What is {x}?")
    assert (verdict.correct, verdict.answer, verdict.explanation) == (1.0, "42", "They match.")
    assert verdict.cost_usd == pytest.approx((1000 * 2.0 + 50 * 10.0) / 1e6)
    (request,) = judge_server.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("judge-1", 0.0, 4096)
    asked = request["messages"][0]["content"]
    assert "[question]: What is {x}?" in asked
    assert "[response]: It is {42}." in asked
    assert "[correct_answer]: 42" in asked
    assert request["response_format"]["json_schema"]["schema"]["required"] == [
        "extracted_final_answer", "reasoning", "correct", "confidence",
    ]  # fmt: skip


def test_unstructured(judge_server, scored):
    judge_server.replies = [NO_TEXT]
    verdict = scored(Judge(MODEL, structured=False), "I think")
    assert (verdict.correct, verdict.cost_usd) == (0.0, 0.0)
    assert "response_format" not in judge_server.requests[0]


def test_unreadable_judgement_is_asked_for_again(judge_server, scored):
    judge_server.replies = ["Let me think.", BOTH, YES_JSON]
    verdict = scored(Judge(MODEL, price_in=1.0, price_out=0.0), "42")
    assert verdict.correct == 1.0
    assert verdict.cost_usd == pytest.approx(3 * 1000 / 1e6)


@pytest.mark.parametrize("reply", ["", BOTH, "I cannot judge this."])
def test_no_verdict_is_missing_not_wrong(judge_server, scored, reply):
    judge_server.replies = [reply]
    verdict = scored(Judge(MODEL, price_in=1.0, price_out=0.0, attempts=2), "42")
    assert verdict.correct is None
    assert verdict.explanation.startswith(
        f"judge {MODEL}: expected a verdict, found none in 2 judgements; the last: "
    )
    assert verdict.cost_usd == pytest.approx(2 * 1000 / 1e6)
    assert len(judge_server.requests) == 2


def test_failed_call_is_made_again(judge_server, scored):
    judge_server.replies = [500, YES_JSON]
    assert scored(Judge(MODEL), "42").correct == 1.0


@pytest.mark.parametrize("status", [500, 400, 401])
def test_judge_that_fails_is_missing_and_what_was_paid_is_kept(judge_server, scored, status):
    judge_server.replies = ["no verdict in here", status]
    verdict = scored(Judge(MODEL, price_in=1.0, price_out=0.0, max_retries=0), "42")
    assert verdict.correct is None
    assert verdict.explanation.startswith(f"judge {MODEL}: ")
    assert "\n" not in verdict.explanation
    assert verdict.cost_usd == pytest.approx(1000 / 1e6)


@pytest.mark.parametrize("response", ["", " \n\t "])
def test_empty_response_is_wrong_without_asking(judge_server, scored, response):
    verdict = scored(Judge(MODEL, 1.0, 1.0), response)
    assert (verdict.correct, verdict.cost_usd) == (0.0, 0.0)
    assert judge_server.requests == []


def test_one_judge_serves_several_at_once_and_several_loops(judge_server):
    judge_server.replies = [YES_JSON]
    judge = Judge(MODEL)
    question = Question("q", "math", "What?", "42")

    async def several() -> list[float | None]:
        return [v.correct for v in await asyncio.gather(*(judge.score(question, str(i)) for i in range(8)))]

    for _ in range(2):  # a notebook's second cell
        assert asyncio.run(several()) == [1.0] * 8


def test_missing_key_is_said_before_the_run(monkeypatch):
    for name in ("OPENAI_API_KEY", "AZUREAI_OPENAI_API_KEY", "NOWHERE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"^judge openai/gpt-4o: .*found: Unable .*No OPENAI_API_KEY"):
        Judge().check()
    with pytest.raises(UserError, match=r"No NOWHERE_API_KEY defined in the environment\.$"):
        Judge("openai-api/nowhere/m").check()
    with pytest.raises(UserError, match=r"^judge nonsense/m: .*not recognized\.$"):
        Judge("nonsense/m").check()


def test_missing_key_in_the_run_is_missing_not_wrong(monkeypatch, scored):
    monkeypatch.delenv("NOWHERE_API_KEY", raising=False)
    assert scored(Judge("openai-api/nowhere/m"), "42").correct is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"price_in": 1.0}, "expected both prices or neither, found price_in=1.0 and price_out=None"),
        ({"price_in": -1.0, "price_out": 1.0}, "price_in: expected 0 or more, found -1.0"),
        ({"attempts": 0}, "attempts: expected at least 1, found 0"),
        ({"max_tokens": 0}, "max_tokens: expected at least 1, found 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(UserError, match=message):
        Judge(**arguments)


def test_another_judge_is_another_identity():
    assert Judge("openai/gpt-4o").identity != Judge("openai/gpt-5").identity


def test_prompt_is_the_official_one():
    # Read, not imported: importing inspect_evals.hle warns and loads the whole task.
    spec = importlib.util.find_spec("inspect_evals")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse((Path(spec.origin).parent / "hle" / "prompts.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    texts = [
        {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)} for call in calls
    ]
    assert [entry["prompt"] for entry in texts if entry.get("title") == "json_judge"] == [PROMPT]
