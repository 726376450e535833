"""A user's own questions: CSV, TSV, JSONL, JSON or Parquet."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.scorers.contract import Scorer
from prefillroute.harness.scorers.judge import Judge
from prefillroute.harness.scorers.letter import MAX_OPTIONS, Letter
from prefillroute.harness.scorers.short_answer import ShortAnswer
from prefillroute.outcomes.importers.log_queries import query_digest
from prefillroute.outcomes.importers.records.read import SUFFIXES, matched, read_chunks
from prefillroute.outcomes.importers.records.source import Source, check_encoding
from prefillroute.outcomes.importers.records.values import BadCellError, checked_text, name_of, text_of

NEEDED = ("prompt", "answer")
CONVERT: dict[str, Callable[[Any], str | None]] = {
    "prompt": text_of,
    "answer": text_of,
    "query_id": name_of,
    "category": name_of,
    "num_options": text_of,
}
"""Column -> what makes text of its cells."""
ENCODING_OPTION = "benchmark.encoding="
SCORINGS = ("short_answer", "letter", "judge")


class File(Benchmark):
    """Columns `prompt` and `answer`; if known `query_id`, `category`, `num_options`. Others are left out.

    Without `query_id` it is the digest that `prefillroute import csv` gives the same prompt.

    Args:
        path: a table in one of the formats of `prefillroute import csv`.
        name: the `benchmark` column of the outcomes; the file's name where null.
        scoring: short_answer (equal up to its form), letter (of an option) or judge (a model compares).
        judge_model: Inspect's name of the judge.
        judge_price_in: USD per 10^6 tokens read.
        judge_price_out: USD per 10^6 tokens written.
        judge_attempts: judgements asked for before an outcome is missing.
        judge_structured: ask the judge for JSON in a schema; false where its server refuses that.
        instruction: system message of targets without one of their own; null gives none.
        encoding: of a text file without a byte order mark; null is UTF-8.

    Raises:
        UserError: for no path, an unknown scoring or encoding.
    """

    def __init__(
        self,
        path: str | None = None,
        name: str | None = None,
        scoring: str = "short_answer",
        judge_model: str = "openai/gpt-4o",
        judge_price_in: float | None = None,
        judge_price_out: float | None = None,
        judge_attempts: int = 3,
        judge_structured: bool = True,
        instruction: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self.instruction = instruction
        if path is None:
            raise UserError(
                "benchmark.path is null; expected your file of questions, benchmark.path=my_questions.csv"
            )
        if scoring not in SCORINGS:
            raise UserError(f"benchmark.scoring={scoring}; expected one of {', '.join(SCORINGS)}")
        if encoding is not None:
            check_encoding(encoding, ENCODING_OPTION)
        self.path = Path(path).expanduser()
        self.encoding = encoding
        self.name = name or self.path.stem
        self.scoring = scoring
        self._scorer: Scorer
        if scoring == "judge":
            self._scorer = Judge(
                judge_model,
                judge_price_in,
                judge_price_out,
                attempts=judge_attempts,
                structured=judge_structured,
            )
        else:
            self._scorer = Letter() if scoring == "letter" else ShortAnswer()

    def questions(self) -> list[Question]:
        """In the file's order.

        Raises:
            UserError: naming file and row, for a missing column or an empty or impossible value.
        """
        if not self.path.is_file():
            raise UserError(f"benchmark.path={self.path}: no such file; expected one that ends in {SUFFIXES}")
        return [self._question(text, where) for where, text in self._rows()]

    def scorer(self) -> Scorer:
        """As `scoring` says."""
        return self._scorer

    def _rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Where a row is, and its known columns as text; what is missing is empty."""
        for chunk in read_chunks(Source(self.path, self.encoding, ENCODING_OPTION)):
            found = matched(chunk.names, {name: name for name in CONVERT}, self.path)
            if missing := [name for name in NEEDED if name not in found]:
                raise UserError(
                    f"{self.path}: row {chunk.rows[0]}: no column {', '.join(missing)}; "
                    f"found {', '.join(chunk.names)}, expected {', '.join(NEEDED)}"
                )
            cells = [chunk.columns[theirs] for theirs in found.values()]
            for row, values in zip(chunk.rows, zip(*cells, strict=True), strict=True):
                where = f"{self.path}: row {row}"
                yield (
                    where,
                    {name: _text(name, value, where) for name, value in zip(found, values, strict=True)},
                )

    def _question(self, row: Mapping[str, str], where: str) -> Question:
        text = {name: cell.strip() for name, cell in row.items()}
        for key in NEEDED:
            if not text[key]:
                raise UserError(f"{where}: {key} is empty; expected text")
        facts = {}
        if text.get("num_options"):
            facts["num_options"] = _num_options(text["num_options"], where)
        if self.scoring == "letter":
            text["answer"] = text["answer"].upper()
            last = chr(ord("A") + facts.get("num_options", MAX_OPTIONS) - 1)
            if len(text["answer"]) != 1 or not "A" <= text["answer"] <= last:
                raise UserError(f"{where}: answer is {text['answer']!r}; expected a letter from A to {last}")
        prompt = row["prompt"]
        return Question(
            row["query_id"] if text.get("query_id") else query_digest(prompt),
            text.get("category") or self.name,
            prompt,
            text["answer"],
            facts,
        )


def _text(name: str, cell: Any, where: str) -> str:
    # An empty CSV cell, a JSON null and an absent key are the same; 0 and false are answers.
    try:
        return checked_text(CONVERT[name](cell) or "")
    except BadCellError as error:
        raise UserError(f"{where}: {name}: {error}") from error


def _num_options(text: str, where: str) -> int:
    try:
        number = float(text)  # a data frame with gaps writes 4 as 4.0
    except ValueError:
        number = 0.0
    if number not in range(1, MAX_OPTIONS + 1):
        raise UserError(f"{where}: num_options is {text!r}; expected a whole number from 1 to {MAX_OPTIONS}")
    return int(number)
