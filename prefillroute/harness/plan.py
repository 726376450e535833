"""What a collection has to do: per target the questions still to be asked, and those that wait for a verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.harness.ledger import Ledger
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.requests import TargetRequest
from prefillroute.outcomes.subset import stratified_subset

CHARACTERS_PER_TOKEN = 4
"""For estimates alone: no tokenizer of a closed model is to be had."""


@dataclass(frozen=True)
class TargetPlan:
    """One target's share of the work."""

    request: TargetRequest
    to_ask: tuple[Question, ...]
    to_score: tuple[Question, ...]
    """Answered, but without this scorer's verdict."""
    prompt_tokens: float
    """Expected per call: the mean of the calls so far, or characters / 4."""
    completion_tokens: float
    """Expected per call: the mean of the calls so far, or what `estimate` assumes of the mode."""
    seen: bool
    """The two figures above come from the target's own calls."""

    @property
    def expected_usd(self) -> float | None:
        """Of one call; None without prices."""
        return self.request.cost_usd(self.prompt_tokens, self.completion_tokens)

    @property
    def most_usd(self) -> tuple[float, ...] | None:
        """Of each question still to ask, as the spend limit reckons with it; None without prices."""
        most = [self.request.most_usd(question.prompt) for question in self.to_ask]
        return None if None in most else tuple(usd for usd in most if usd is not None)


def read_questions(benchmark: Benchmark, max_questions: int | None) -> list[Question]:
    """The benchmark's questions, or a stratified and deterministic subset of them.

    Raises:
        UserError: as the benchmark; also for an empty one, a repeated id or an empty prompt.
    """
    questions = benchmark.questions()
    if not questions:
        raise UserError(f"benchmark '{benchmark.name}': no questions")
    seen: set[str] = set()
    for question in questions:
        if question.query_id in seen:
            raise UserError(
                f"benchmark '{benchmark.name}': second question '{question.query_id}'; expected every id once"
            )
        if not question.prompt.strip():
            raise UserError(
                f"benchmark '{benchmark.name}': question '{question.query_id}' is empty; expected text"
            )
        seen.add(question.query_id)
    if max_questions is None:
        return questions
    if max_questions < 1:
        raise UserError(f"max_questions is {max_questions}; expected at least 1")
    frame = pd.DataFrame(
        {"query_id": [q.query_id for q in questions], "category": [q.category for q in questions]}
    )
    return [
        questions[row] for row in stratified_subset(frame.assign(benchmark=benchmark.name), max_questions)
    ]


def plan_targets(
    requests: Sequence[TargetRequest],
    questions: Sequence[Question],
    scorer: str,
    ledger: Ledger,
    assumed_tokens: Mapping[str, float],
) -> list[TargetPlan]:
    """Leave out what the ledger has.

    Args:
        requests: one per target.
        questions: of the benchmark.
        scorer: identity of its scorer.
        ledger: calls and scores so far.
        assumed_tokens: target -> completion tokens to expect before its first call.
    """
    plans = []
    characters = float(np.mean([len(question.prompt) for question in questions]))
    for request in requests:
        asked, scored = ledger.asked(request.target), ledger.scored(request.target, scorer)
        before = sum(len(content) for _, content in request.messages)
        seen = ledger.mean_tokens(request.target)
        prompt_tokens, completion_tokens = seen or (
            (before + characters) / CHARACTERS_PER_TOKEN,
            min(assumed_tokens[request.target], request.max_tokens),
        )
        plans.append(
            TargetPlan(
                request=request,
                to_ask=tuple(q for q in questions if q.query_id not in asked),
                to_score=tuple(q for q in questions if q.query_id in asked and q.query_id not in scored),
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                seen=seen is not None,
            )
        )
    return plans


def spent_at_most(ledger: Ledger, requests: Sequence[TargetRequest]) -> float:
    """USD that earlier runs spent; a call whose cost is unknown counts with the most that it can have cost."""
    unknown = [
        request.most_usd(prompt) or 0.0
        for request in requests
        for prompt in ledger.calls_of_unknown_cost(request.target)
    ]
    return ledger.spent_usd() + sum(unknown)


def check_limit(plans: Sequence[TargetPlan], limit_usd: float | None, max_tokens: int) -> None:
    """Refuse a spend limit under which a target could never be asked anything, however little was spent.

    Args:
        plans: of all targets.
        limit_usd: `limits.spend_usd`.
        max_tokens: `limits.max_tokens`, which rules the targets that do not set their own.

    Raises:
        UserError: naming the target, and values of both keys that let every call begin.
    """
    if limit_usd is None:
        return
    for plan in plans:
        most = plan.most_usd
        if not most or min(most) <= limit_usd:
            continue
        dearest = max(max(other.most_usd or (0.0,)) for other in plans)
        ways = [f"limits.spend_usd={_round_up(dearest)} or more"]
        fitting = min(_fitting_tokens(other, limit_usd, max_tokens) for other in plans)
        if fitting >= 1:
            ways.insert(0, f"limits.max_tokens={fitting} or less")
        raise UserError(
            f"target '{plan.request.target}': one answer of up to {plan.request.max_tokens:,} tokens may cost "
            f"{min(most):.4g} USD, and limits.spend_usd={limit_usd:g} never begins a call that could pass it; "
            f"expected {', or '.join(ways)}"
        )


def _fitting_tokens(plan: TargetPlan, limit_usd: float, max_tokens: int) -> float:
    """Greatest `limits.max_tokens` at which every call of the target may begin; 0 where that key cannot help."""
    most = plan.most_usd
    if not most or max(most) <= limit_usd:
        return max_tokens
    if plan.request.max_tokens != max_tokens or plan.seen:
        return 0  # the target has its own, or has answered and must be asked as before
    return math.floor(max_tokens - (max(most) - limit_usd) * 1e6 / (plan.request.price_out or math.inf))


def _round_up(usd: float) -> str:
    """Three significant digits, never less than ``usd``."""
    digits = 2 - math.floor(math.log10(usd))
    return f"{math.ceil(usd * 10**digits) / 10**digits:g}" if digits <= 5 else f"{usd * 1.01:.3g}"
