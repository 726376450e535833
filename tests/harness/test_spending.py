"""The spend limit: what is spent never passes it, whatever calls cost and in whichever order they end."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.harness.ledger import Call, Ledger
from prefillroute.harness.plan import TargetPlan, check_limit, plan_targets, spent_at_most
from prefillroute.harness.questions import Question
from prefillroute.harness.requests import TargetRequest, most_prompt_tokens
from prefillroute.harness.scorers.judge import Judge
from prefillroute.harness.spending import Budget


async def play(budget: Budget, calls: list[tuple[float, float | None, int]], at_once: int) -> list[bool]:
    """Begin calls (most, cost, turns until it ends) as Inspect does, so many at once; which of them were begun."""
    begun = [False] * len(calls)
    slots = anyio.Semaphore(at_once)

    async def one(number: int) -> None:
        most, cost, turns = calls[number]
        async with slots:
            reserved = await budget.reserve(most)
            if reserved is None:
                return
            begun[number] = True
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
                if budget.limit_usd is not None:
                    assert budget.spent_usd + budget._reserved <= budget.limit_usd * (1 + 1e-9)
            budget.settle(reserved, cost)

    async with anyio.create_task_group() as group:
        for number in range(len(calls)):
            group.start_soon(one, number)
    return begun


@settings(max_examples=150, deadline=None)
@given(
    limit=st.floats(0.01, 10),
    drawn=st.lists(
        st.tuples(st.floats(0.001, 3), st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 5)),
        min_size=1,
        max_size=40,
    ),
    at_once=st.integers(1, 8),
    before=st.floats(0, 1),
)
def test_limit_is_never_passed(
    limit: float, drawn: list[tuple[float, float | None, int]], at_once: int, before: float
) -> None:
    """Calls that cost any share of the most they can cost, side by side; a limit refuses only what could pass it."""
    calls = [(most, None if share is None else most * share, turns) for most, share, turns in drawn]
    spent_before = min(before, limit)
    budget = Budget(spent_before, limit)
    begun = anyio.run(play, budget, calls, at_once)
    paid = sum(
        most if cost is None else cost for (most, cost, _), did in zip(calls, begun, strict=True) if did
    )
    assert budget.spent_usd == pytest.approx(spent_before + paid)
    assert budget.spent_usd <= limit * (1 + 1e-9)
    assert budget.exhausted == (not all(begun))
    for (most, _, _), did in zip(calls, begun, strict=True):
        if not did:  # it waited for those under way: at the end there is no room for it either
            assert budget.spent_usd + most > limit * (1 - 1e-9)


def test_one_dear_answer_does_not_pass_the_limit() -> None:
    """Ten answers of 0.01, then one of 3.20, each allowed 3.20: under a limit of 1 none may begin."""
    calls = [(3.2, 0.01, 1)] * 10 + [(3.2, 3.2, 1)]
    budget = Budget(0.0, 1.0)
    assert not any(anyio.run(play, budget, calls, 4))
    assert budget.spent_usd == 0
    budget = Budget(0.0, 3.29)
    assert anyio.run(play, budget, calls, 4) == [True] * 9 + [True] + [
        False
    ]  # after the ninth, 3.20 still fit
    assert budget.spent_usd == pytest.approx(0.1)
    budget = Budget(0.0, 3.3)
    assert all(anyio.run(play, budget, calls, 4))
    assert budget.spent_usd == pytest.approx(3.3)


def test_calls_wait_for_room_and_are_not_refused() -> None:
    """Each may cost 0.6 of a limit of 1 and costs 0.01: one at a time, and all are made."""
    budget = Budget(0.0, 1.0)
    assert all(anyio.run(play, budget, [(0.6, 0.01, 3)] * 30, 8))
    assert not budget.exhausted
    assert budget.spent_usd == pytest.approx(0.3)


def test_a_cheap_call_begins_where_a_dear_one_cannot() -> None:
    budget = Budget(0.95, 1.0)
    assert anyio.run(play, budget, [(0.1, 0.1, 1), (0.05, 0.05, 1)], 2) == [False, True]
    assert budget.exhausted


def test_without_a_limit_every_call_begins() -> None:
    assert all(anyio.run(play, Budget(5.0, None), [(100.0, 1.0, 1)] * 100, 8))


def request(**facts: object) -> TargetRequest:
    given = {"max_tokens": 128_000, "price_in": 1.25, "price_out": 10.0, "name": "a", **facts}
    return TargetRequest(
        given["name"], "openai-api/local/x", None, None, {"max_tokens": given["max_tokens"]},
        (("system", "Answer."),), given["price_in"], given["price_out"], 4,
    )  # fmt: skip


QUESTIONS = tuple(Question(f"q{n}", "c", "What is π?" * (n + 1), "3") for n in range(3))


def plans_of(ledger: Ledger, *requests: TargetRequest) -> list[TargetPlan]:
    return plan_targets(requests, QUESTIONS, "LetterMatch", ledger, {r.target: 500 for r in requests})


def call(target: str, query_id: str, cost_usd: float | None) -> Call:
    tokens = None if cost_usd is None else 100
    return Call(target, query_id, "3", "", "stop", tokens, tokens, None, 1.0, 0.1, cost_usd, 1, 0.0)


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    opened = Ledger(tmp_path / "calls.sqlite")
    yield opened
    opened.close()


def test_most_of_a_call_is_every_byte_a_token_and_the_longest_answer() -> None:
    # 7 bytes and 11 (π has two), 16 for each message, 256 for the template
    assert most_prompt_tokens(["Answer.", "What is π?"]) == 7 + 11 + 2 * 16 + 256
    wanted = (306 * 1.25 + 128_000 * 10.0) / 1e6
    assert request().most_usd("What is π?") == pytest.approx(wanted)
    assert request(price_in=None, price_out=None).most_usd("x") is None
    assert most_prompt_tokens(["\ud83d"]) > 0  # half an emoji is text that a user may have


def test_a_limit_that_nothing_fits_is_refused_with_a_way_out(ledger: Ledger) -> None:
    plans = plans_of(ledger, request())
    with pytest.raises(
        UserError,
        match=r"expected at least 1\.28 USD, .*target 'a' may cost \(up to 128,000 tokens\), found 1; set",
    ) as said:
        check_limit(plans, 1.0, 128_000)
    message = str(said.value)
    assert "\n" not in message
    # Both ways out work, for every question.
    tokens = int(message.split("limits.max_tokens=")[1].split()[0])
    check_limit(plans_of(ledger, request(max_tokens=tokens)), 1.0, tokens)
    assert max(plans_of(ledger, request(max_tokens=tokens))[0].most_usd) <= 1.0
    assert max(plans_of(ledger, request(max_tokens=tokens + 1))[0].most_usd) > 1.0
    money = float(message.split("limits.spend_usd=")[1].split()[0])
    check_limit(plans, money, 128_000)
    assert max(plans[0].most_usd) <= money < 1.01 * max(plans[0].most_usd)
    check_limit(plans, None, 128_000)


@pytest.mark.parametrize("most", [0.00031234, 0.012345, 1.2804, 9.999, 123.456, 99999.5])
def test_the_limit_that_is_proposed_suffices(most: float, ledger: Ledger) -> None:
    plans = plans_of(ledger, request(price_in=0.0, price_out=most * 1e6 / 128_000))
    with pytest.raises(UserError) as said:
        check_limit(plans, most / 2, 128_000)
    money = float(str(said.value).split("limits.spend_usd=")[1].split()[0])
    assert most * (1 - 1e-9) <= money <= most * 1.02


def test_a_way_out_that_could_not_work_is_not_offered(ledger: Ledger) -> None:
    """A target with max_tokens of its own ignores the key; one that has answered must be asked as before."""
    with pytest.raises(UserError) as said:
        check_limit(plans_of(ledger, request(max_tokens=100_000)), 0.5, 128_000)
    assert "limits.max_tokens" not in str(said.value)
    ledger.register("b", QUESTIONS, [request()])
    ledger.add_call(call("a", "q0", 0.002))
    with pytest.raises(UserError) as said:
        check_limit(plans_of(ledger, request()), 0.5, 128_000)
    assert "limits.max_tokens" not in str(said.value)


def test_what_earlier_runs_spent_counts_unknown_costs_at_their_most(ledger: Ledger) -> None:
    ledger.register("b", QUESTIONS, [request()])
    ledger.add_call(call("a", "q0", 0.002))
    assert spent_at_most(ledger, [request()]) == pytest.approx(0.002)
    ledger.add_call(call("a", "q1", None))
    assert spent_at_most(ledger, [request()]) == pytest.approx(
        0.002 + request().most_usd(QUESTIONS[1].prompt)
    )


def test_a_judgement_is_reckoned_with_all_its_attempts() -> None:
    judge = Judge("openai/gpt-4o", price_in=2.5, price_out=10.0, max_tokens=4096, attempts=3)
    most = judge.most_usd(QUESTIONS[0], "It is 3.")
    assert most > 3 * (4096 * 10.0 + 1500 * 2.5) / 1e6
    assert most < 3 * (4096 * 10.0 + 5000 * 2.5) / 1e6
    assert judge.most_usd(QUESTIONS[0], " ") == 0
