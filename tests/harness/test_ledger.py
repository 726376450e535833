"""The ledger: on disk at once, of one kind, refused when it is something else."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prefillroute.config.facts import ProviderConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.harness.ledger import Call, Ledger
from prefillroute.harness.questions import Question
from prefillroute.harness.requests import TargetRequest, target_request
from prefillroute.harness.scorers.contract import Verdict
from prefillroute.harness.tables import outcome_frames

PROVIDER = ProviderConfig(
    name="local", api="openai-api", modes={"thinking": {"temperature": 0.5}, "direct": {"temperature": 0.0}}
)
QUESTIONS = [Question("q1", "c", "One?", "1"), Question("q2", "d", "Two?", "2")]
CALL = Call("a", "q1", "1", "hm", "stop", 10, 2, None, 0.5, 0.1, 0.001, 1, 0.0)


@pytest.fixture
def make_request() -> Callable[..., TargetRequest]:
    def make(name: str = "a", **facts: object) -> TargetRequest:
        return target_request(TargetConfig(name=name, provider="local", **facts), PROVIDER, 100)  # type: ignore[arg-type]

    return make


def test_answer_is_on_disk_when_it_is_added(
    tmp_path: Path, make_request: Callable[..., TargetRequest]
) -> None:
    ledger = Ledger(tmp_path / "calls.sqlite")
    ledger.register("toy", QUESTIONS, [make_request()])
    ledger.add_call(CALL)
    # Another process sees it without any close: what a kill would leave behind.
    other = Ledger(tmp_path / "calls.sqlite")
    assert other.call("a", "q1") == CALL
    assert other.asked("a") == {"q1"}
    assert other.call("a", "q2") is None


def test_failure_is_forgotten_when_the_call_succeeds() -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.add_failure("a", "q1", "broken", 3)
    assert ledger.failures() == [("a", "q1", "broken")]
    ledger.add_call(CALL)
    assert ledger.failures() == []


def test_unjudged_answer_is_missing_and_judged_again() -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.register("toy", QUESTIONS, [])
    ledger.add_call(CALL)
    ledger.add_call(replace(CALL, query_id="q2"))
    ledger.add_score("a", "q1", "Judge(x)", Verdict(None, "", "no verdict", 0.5))
    ledger.add_score("a", "q2", "Judge(x)", Verdict(0.0, "3"))
    assert ledger.scored("a", "Judge(x)") == {"q2"}
    assert ledger.scored("a", "Judge(y)") == set()
    queries, outcomes = outcome_frames(ledger)
    assert queries["query_id"].tolist() == ["q2"]
    assert outcomes[["query_id", "correct", "prompt_tokens", "cost_usd"]].to_numpy().tolist() == [
        ["q2", 0.0, 10.0, 0.001]
    ]
    assert ledger.spent_usd() == pytest.approx(0.502)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"mode": "direct"}, "options"), ({"endpoint": "other"}, "model"), ({"messages": [
        {"role": "system", "content": "Be brief."}]}, "messages")],
)  # fmt: skip
def test_target_asked_differently_is_refused(
    change: dict, named: str, make_request: Callable[..., TargetRequest]
) -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.register("toy", QUESTIONS, [make_request()])
    ledger.register("toy", QUESTIONS, [make_request(**change)])  # nothing was asked yet
    ledger.add_call(CALL)
    with pytest.raises(UserError, match=f"target 'a': expected {named} .* as in the calls so far, found"):
        ledger.register("toy", QUESTIONS, [make_request()])


def test_price_and_address_may_change(make_request: Callable[..., TargetRequest]) -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.register("toy", QUESTIONS, [make_request()])
    ledger.add_call(CALL)
    ledger.register("toy", QUESTIONS, [make_request(price_in=3.0, price_out=4.0, base_url="http://b/v1")])


def test_refused_registration_leaves_nothing(make_request: Callable[..., TargetRequest]) -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.register("toy", QUESTIONS[:1], [make_request()])
    changed = [QUESTIONS[1], Question("q1", "c", "Another text?", "1")]
    with pytest.raises(
        UserError, match="query 'q1' of benchmark 'toy': expected the text that was asked before"
    ):
        ledger.register("toy", changed, [make_request()])
    assert ledger.rows("select query_id from questions") == [("q1",)]


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read as one" * 20, b"SQLite"]
)
def test_file_that_is_no_ledger(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"calls\.sqlite: expected a ledger of calls, found another file"):
        Ledger(path)
    assert path.read_bytes() == content


def test_ledger_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(UserError, match="expected a ledger of format 1, found format 99; move it away"):
        Ledger(path)


def test_modes_of_one_model_are_two_targets(make_request: Callable[..., TargetRequest]) -> None:
    thinking, direct = make_request(mode="thinking"), make_request(mode="direct")
    assert thinking.model == direct.model == "openai-api/local/a"
    assert thinking.fingerprint != direct.fingerprint
    assert thinking.max_tokens == 100
