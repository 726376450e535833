"""Humanity's Last Exam: 2,500 questions at the limit of expert knowledge (arXiv 2501.14249)."""

import logging

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks.published import published_records
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.scorers.contract import Scorer
from prefillroute.harness.scorers.judge import Judge

log = logging.getLogger(__name__)

REPO = "cais/hle"
REVISION = "5a81a4c7271a2a2a312b9a690f0c2fde837e4c29"
INSTRUCTION = (
    "Your response should be in the following format:\nExplanation: {your explanation for your answer}\n"
    "Answer: {your answer}\nConfidence: {your confidence between 0% and 100% for your answer}"
)
COLUMNS = ("id", "question", "image", "answer", "answer_type", "category", "raw_subject")


class HLE(Benchmark):
    """The questions without an image, scored by a judge as the benchmark's authors do.

    The instruction asks for the authors' format: explanation, answer, confidence.

    Args:
        path: local copy, a parquet or JSON lines file or a folder; null downloads from the hub, which needs HF_TOKEN.
        split: part of the data set; it has only one, test.
        revision: commit on the hub.
        answer_type: keep only exactMatch or only multipleChoice; null keeps both.
        judge_model: Inspect's name for the judge; GPT-4o in the paper.
        judge_price_in: USD per 10^6 tokens read.
        judge_price_out: USD per 10^6 tokens written.
        judge_max_tokens: most tokens of a judgement.
        judge_attempts: judgements to ask for before the outcome counts as missing.
        judge_structured: ask the judge for JSON that follows a schema; false if its server refuses that.
        instruction: system message for targets without one of their own; null gives none.
    """

    name = "hle"

    def __init__(
        self,
        path: str | None = None,
        split: str = "test",
        revision: str = REVISION,
        answer_type: str | None = None,
        judge_model: str = "openai/gpt-4o",
        judge_price_in: float | None = None,
        judge_price_out: float | None = None,
        judge_max_tokens: int = 4096,
        judge_attempts: int = 3,
        judge_structured: bool = True,
        instruction: str | None = INSTRUCTION,
    ) -> None:
        self.instruction = instruction
        if answer_type not in (None, "exactMatch", "multipleChoice"):
            raise UserError(
                f"benchmark.answer_type: expected exactMatch, multipleChoice or null, found {answer_type}"
            )
        self.path = path
        self.split = split
        self.revision = revision
        self.answer_type = answer_type
        self.judge = Judge(
            judge_model, judge_price_in, judge_price_out, judge_max_tokens, judge_attempts, judge_structured
        )
        self.num_with_image = 0
        """Number of questions that the last `questions()` left out because they show an image."""

    def questions(self) -> list[Question]:
        """Return the questions in the data set's order; log how many are left out because they show an image.

        Raises:
            UserError: as for `published_records`; also for an empty id, question or answer.
        """
        found, self.num_with_image = [], 0
        for place, record in published_records(REPO, self.revision, self.split, COLUMNS, self.path):
            if self.answer_type not in (None, record["answer_type"]):
                continue
            if record["image"]:
                self.num_with_image += 1
                continue
            for key in ("id", "question", "answer"):
                if not str(record[key] or "").strip():
                    raise UserError(f"{place}: {key}: expected text, found an empty one")
            facts = {"answer_type": record["answer_type"], "raw_subject": record["raw_subject"]}
            prompt, answer = str(record["question"]).strip(), str(record["answer"]).strip()
            found.append(Question(f"hle:{record['id']}", str(record["category"]), prompt, answer, facts))
        if self.num_with_image:
            every = len(found) + self.num_with_image
            log.warning("hle: %d of %d questions show an image and are left out", self.num_with_image, every)
        return found

    def scorer(self) -> Scorer:
        """Return the judge; its `check()` tells whether it can be asked."""
        return self.judge
