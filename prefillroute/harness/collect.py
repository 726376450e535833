"""Asks, scores and keeps: Inspect runs the calls of all targets in parallel, and the ledger says what is left to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import Model

from prefillroute.harness.asking import Asker, asking
from prefillroute.harness.ledger import Ledger
from prefillroute.harness.plan import TargetPlan, spent_at_most
from prefillroute.harness.progress import Tally
from prefillroute.harness.questions import Question
from prefillroute.harness.scorers.contract import Scorer
from prefillroute.harness.scoring import Judging, judging
from prefillroute.harness.spending import Budget
from prefillroute.outcomes.importers.inspect_samples import TARGET_KEY

LOGGED_ANSWER = 1000
"""Characters of the reference answer kept in Inspect's log; the test cases of a program can be megabytes long."""


@dataclass(frozen=True)
class Limits:
    """Limits on a target's calls."""

    retries: int = 5
    """Attempts after the first one fails: Inspect retries transient errors, and ``Asker`` retries broken answers."""
    attempt_s: int = 3600
    """Seconds after which an attempt is given up."""
    stall_s: int = 60
    """Seconds without a new token after which an attempt is given up."""


@dataclass(frozen=True)
class Collected:
    """How a run of the command ended."""

    spent_usd: float
    """Spent by this run and all earlier ones."""
    exhausted: bool
    """Whether the spend limit ended the run."""


def collect(
    plans: Sequence[TargetPlan],
    scorer: Scorer,
    benchmark: str,
    ledger: Ledger,
    log_dir: Path,
    limits: Limits,
    spend_limit_usd: float | None,
    tally: Tally,
) -> Collected:
    """Ask the questions that are still to be asked and score the answers that are still to be scored.

    Every answer goes into the ledger before anything else is done with it, so that whatever ends this run, the next one
    continues from there. A question that cannot be asked or scored leaves a missing outcome, and the next run tries it
    again. On Ctrl-C, Inspect cancels the calls in flight and this function returns.

    Raises:
        UserError: an API key or a package is missing; raised before the first call.
    """
    budget = Budget(spent_at_most(ledger, [plan.request for plan in plans]), spend_limit_usd)
    scorer.check()
    models = [plan.request.open(**_transport(plan, limits)) for plan in plans]
    tasks = [
        _task(plan, model, scorer, benchmark, ledger, budget, limits, tally)
        for plan, model in zip(plans, models, strict=True)
        if plan.to_ask or plan.to_score
    ]
    if tasks:
        _evaluate(tasks, log_dir)
    return Collected(budget.spent_usd, budget.exhausted)


def _task(
    plan: TargetPlan,
    model: Model,
    scorer: Scorer,
    benchmark: str,
    ledger: Ledger,
    budget: Budget,
    limits: Limits,
    tally: Tally,
) -> Task:
    questions = (*plan.to_score, *plan.to_ask)  # the answers already paid for come first
    name = plan.request.target
    asker = Asker(plan.request, model, ledger, budget, tally, limits.retries, len(questions))
    by_id = {question.query_id: question for question in questions}
    return Task(
        name=benchmark,
        dataset=MemoryDataset([_sample(question) for question in questions], name=benchmark),
        solver=asking(asker),
        scorer=judging(Judging(name, scorer, by_id, ledger, budget)),
        model=model,
        metadata={TARGET_KEY: name, **plan.request.described},
    )


def _sample(question: Question) -> Sample:
    return Sample(
        id=question.query_id,
        input=question.prompt,
        target=question.answer[:LOGGED_ANSWER],
        metadata={"category": question.category},
    )


def _transport(plan: TargetPlan, limits: Limits) -> dict[str, int]:
    return {
        "max_retries": limits.retries,
        "attempt_timeout": limits.attempt_s,
        "stream_idle_timeout": limits.stall_s,
        "max_connections": plan.request.connections,
    }


def _evaluate(tasks: list[Task], log_dir: Path) -> None:
    evaluate(
        tasks,
        display="none",
        log_dir=str(log_dir),
        max_tasks=len(tasks),
        max_samples=max(task.model.config.max_connections or 1 for task in tasks if task.model),
        fail_on_error=False,  # a failed call leaves a missing outcome; the others go on
        log_realtime=False,  # the ledger already keeps what Inspect would buffer
        log_model_api=False,
        log_level="error",
        score_display=False,
        ctl_server=False,
    )
