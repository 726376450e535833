"""MMLU-Pro: 12,032 multiple-choice questions in 14 subjects, with up to ten options each (arXiv 2406.01574)."""

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks.published import published_records
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.scorers.contract import Scorer
from prefillroute.harness.scorers.letter import Letter
from prefillroute.outcomes.importers.mmlu_pro import LETTERS, query_of

REPO = "TIGER-Lab/MMLU-Pro"
REVISION = "527feea0afed1de15a8c115abf7be4c912123315"
INSTRUCTION = 'Answer the multiple choice question. Think step by step, then end with "The answer is (X)".'
COLUMNS = ("question_id", "question", "options", "answer", "category", "src")


class MMLUPro(Benchmark):
    """Ids, categories and prompts equal those of `prefillroute import mmlu-pro`, so that both kinds of outcomes join.

    The prompt is the question with its options; the instruction asks for a letter.

    Args:
        split: test, or validation (the 70 worked examples).
        path: local copy, a parquet or JSON lines file or a folder; null downloads from the hub.
        revision: commit on the hub.
        instruction: system message for targets without one of their own; null gives none.
    """

    name = "mmlu_pro"

    def __init__(
        self,
        split: str = "test",
        path: str | None = None,
        revision: str = REVISION,
        instruction: str | None = INSTRUCTION,
    ) -> None:
        self.instruction = instruction
        self.split = split
        self.path = path
        self.revision = revision

    def questions(self) -> list[Question]:
        """Return the questions in the data set's order.

        Raises:
            UserError: as for `published_records`; also if a record does not have MMLU-Pro's form.
        """
        found = []
        for place, record in published_records(REPO, self.revision, self.split, COLUMNS, self.path):
            try:
                query = query_of(record)
                num_options = sum(option != "N/A" for option in record["options"])
                answer = str(record["answer"]).strip()
            except (TypeError, ValueError, AttributeError) as error:
                raise UserError(f"{place}: expected a record of {REPO}, found another ({error})") from error
            if not 1 <= num_options <= len(LETTERS) or answer not in [*LETTERS[:num_options]]:
                raise UserError(
                    f"{place}: answer: expected the letter of one of {num_options} options, found {answer!r}"
                )
            facts = {"num_options": num_options, "src": record["src"]}
            found.append(Question(query["query_id"], query["category"], query["prompt"], answer, facts))
        return found

    def scorer(self) -> Scorer:
        """Return the scorer that compares letters."""
        return Letter()
