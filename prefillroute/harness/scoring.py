"""Runs our scorers inside Inspect; each verdict goes to the ledger and to Inspect's log."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from inspect_ai.scorer import Score, Target, mean, scorer
from inspect_ai.scorer import Scorer as InspectScorer
from inspect_ai.solver import TaskState

from prefillroute.harness.ledger import Ledger
from prefillroute.harness.questions import Question
from prefillroute.harness.scorers.contract import Scorer, Verdict
from prefillroute.harness.spending import Budget


@dataclass
class Judging:
    """Scores the answers of one target."""

    target: str
    scorer: Scorer
    questions: Mapping[str, Question]
    ledger: Ledger
    budget: Budget

    async def judge(self, query_id: str, response: str) -> Verdict:
        """Score an answer and store the verdict. An error of the judge or sandbox makes the outcome missing, not wrong.

        If the spend limit leaves no room for the judge, the next run scores the answer before it asks anything.
        """
        question = self.questions[query_id]
        reserved = await self.budget.reserve(self.scorer.most_usd(question, response))
        if reserved is None:
            return Verdict(None, "", f"spend limit of {self.budget.limit_usd} USD reached")
        verdict = Verdict(None, "", "not judged")
        try:
            verdict = await self.scorer.score(question, response)
        except Exception as error:
            verdict = Verdict(None, "", f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
        finally:
            self.budget.settle(reserved, verdict.cost_usd)
        self.ledger.add_score(self.target, query_id, self.scorer.identity, verdict)
        return verdict


@scorer(metrics=[mean()], name="correct")
def judging(judge: Judging) -> InspectScorer:
    """Wrap our scorer as one of Inspect's."""

    async def score(state: TaskState, target: Target) -> Score:
        verdict = await judge.judge(str(state.sample_id), state.output.completion)
        value = math.nan if verdict.correct is None else verdict.correct
        return Score(value=value, answer=verdict.answer, explanation=verdict.explanation)

    return score
