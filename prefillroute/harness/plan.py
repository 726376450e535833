"""Plans a collection: for each target, the questions still to ask and the answers still to score."""

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
"""Used for estimates only: the tokenizers of closed models are not available."""


@dataclass(frozen=True)
class TargetPlan:
    """One target's share of the work."""

    request: TargetRequest
    to_ask: tuple[Question, ...]
    to_score: tuple[Question, ...]
    """Questions that are answered but have no verdict from this scorer."""
    prompt_tokens: float
    """Expected tokens per call: the mean of the calls so far, or characters / 4."""
    completion_tokens: float
    """Expected tokens per call: the mean of the calls so far, or what `estimate` assumes for the mode."""
    seen: bool
    """Whether both expected numbers of tokens come from the target's own calls."""

    @property
    def expected_usd(self) -> float | None:
        """Expected cost of one call in USD; None without prices."""
        return self.request.cost_usd(self.prompt_tokens, self.completion_tokens)

    @property
    def most_usd(self) -> tuple[float, ...] | None:
        """The most that each question still to ask can cost in USD; None without prices. The spend limit uses this."""
        most = [self.request.most_usd(question.prompt) for question in self.to_ask]
        return None if None in most else tuple(usd for usd in most if usd is not None)


def read_questions(benchmark: Benchmark, max_questions: int | None) -> list[Question]:
    """Read the benchmark's questions, or a stratified and deterministic subset of them.

    Raises:
        UserError: the benchmark cannot be read, has no questions, repeats an id or has an empty prompt.
    """
    questions = benchmark.questions()
    if not questions:
        raise UserError(
            f"benchmark '{benchmark.name}': expected at least one question, found none; change its options"
        )
    seen: set[str] = set()
    for question in questions:
        if question.query_id in seen:
            raise UserError(
                f"benchmark '{benchmark.name}': expected every question id once, found '{question.query_id}' twice; "
                "remove or rename one"
            )
        if not question.prompt.strip():
            raise UserError(
                f"benchmark '{benchmark.name}': question '{question.query_id}': expected text, found an empty prompt"
            )
        seen.add(question.query_id)
    if max_questions is None:
        return questions
    if max_questions < 1:
        raise UserError(f"max_questions: expected at least 1, found {max_questions}; null asks them all")
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
    """Plan the work of every target, leaving out what the ledger already has.

    Args:
        requests: one per target.
        questions: the benchmark's questions.
        scorer: identity of the benchmark's scorer.
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
    """USD spent by earlier runs; a call of unknown cost is counted at the most it can have cost."""
    unknown = [
        request.most_usd(prompt) or 0.0
        for request in requests
        for prompt in ledger.calls_of_unknown_cost(request.target)
    ]
    return ledger.spent_usd() + sum(unknown)


def check_limit(plans: Sequence[TargetPlan], limit_usd: float | None, max_tokens: int) -> None:
    """Refuse a spend limit so low that some target could never be asked anything, however little was spent.

    Args:
        plans: the plans of all targets.
        limit_usd: `limits.spend_usd`.
        max_tokens: `limits.max_tokens`, which applies to targets that do not set their own.

    Raises:
        UserError: names the target, and values of both keys that let every call begin.
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
            f"limits.spend_usd: expected at least {min(most):.4g} USD, which one answer of target "
            f"'{plan.request.target}' may cost (up to {plan.request.max_tokens:,} tokens), found {limit_usd:g}; set "
            f"{', or '.join(ways)}"
        )


def _fitting_tokens(plan: TargetPlan, limit_usd: float, max_tokens: int) -> float:
    """Greatest `limits.max_tokens` at which every call of the target may begin; 0 if that key cannot help."""
    most = plan.most_usd
    if not most or max(most) <= limit_usd:
        return max_tokens
    if plan.request.max_tokens != max_tokens or plan.seen:
        return 0  # the target sets its own limit, or has answered and must be asked as before
    return math.floor(max_tokens - (max(most) - limit_usd) * 1e6 / (plan.request.price_out or math.inf))


def _round_up(usd: float) -> str:
    """``usd`` rounded up to three significant digits."""
    digits = 2 - math.floor(math.log10(usd))
    return f"{math.ceil(usd * 10**digits) / 10**digits:g}" if digits <= 5 else f"{usd * 1.01:.3g}"
