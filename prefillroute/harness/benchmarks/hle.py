"""Humanity's Last Exam: 2,500 questions at the edge of what experts know (arXiv 2501.14249)."""

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
    """The questions without an image, scored by a judge as the owners do.

    The instruction has the owners' form: explanation, answer, confidence.

    Args:
        path: local copy, a parquet or JSON lines file or a folder; null asks the hub, which requires HF_TOKEN.
        split: the data set has one, test.
        revision: commit on the hub.
        answer_type: exactMatch or multipleChoice alone; null takes both.
        judge_model: Inspect's name of the judge; GPT-4o in the paper.
        judge_price_in: USD per 10^6 tokens read.
        judge_price_out: USD per 10^6 tokens written.
        judge_max_tokens: most tokens of a judgement.
        judge_attempts: judgements asked for before an outcome is missing.
        judge_structured: ask the judge for JSON in a schema; false where its server refuses that.
        instruction: system message of targets without one of their own; null gives none.
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
                f"benchmark.answer_type={answer_type}; expected exactMatch, multipleChoice or null"
            )
        self.path = path
        self.split = split
        self.revision = revision
        self.answer_type = answer_type
        self.judge = Judge(
            judge_model, judge_price_in, judge_price_out, judge_max_tokens, judge_attempts, judge_structured
        )
        self.num_with_image = 0
        """Questions left out by the last `questions()` because they show an image."""

    def questions(self) -> list[Question]:
        """In the owners' order; says how many with an image are left out.

        Raises:
            UserError: as `published_records`.
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
                    raise UserError(f"{place}: {key} is empty; expected text")
            facts = {"answer_type": record["answer_type"], "raw_subject": record["raw_subject"]}
            prompt, answer = str(record["question"]).strip(), str(record["answer"]).strip()
            found.append(Question(f"hle:{record['id']}", str(record["category"]), prompt, answer, facts))
        if self.num_with_image:
            every = len(found) + self.num_with_image
            log.warning("hle: %d of %d questions show an image and are left out", self.num_with_image, every)
        return found

    def scorer(self) -> Scorer:
        """The judge; its `check()` says whether it can be asked."""
        return self.judge
