"""A benchmark of the user's own questions: CSV, TSV, JSONL, JSON or Parquet."""

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
"""Column -> function that turns one of its cells into text."""
ENCODING_OPTION = "benchmark.encoding="
SCORINGS = ("short_answer", "letter", "judge")


class File(Benchmark):
    """Reads the columns `prompt` and `answer` and, if present, `query_id`, `category` and `num_options`; no others.

    Without `query_id`, the id is the digest that `prefillroute import csv` gives the same prompt.

    Args:
        path: a table in one of the formats of `prefillroute import csv`.
        name: value of the outcomes' `benchmark` column; null takes the file's name.
        scoring: short_answer (equal up to its form), letter (of an option) or judge (a model compares).
        judge_model: Inspect's name for the judge.
        judge_price_in: USD per 10^6 tokens read.
        judge_price_out: USD per 10^6 tokens written.
        judge_attempts: judgements to ask for before the outcome counts as missing.
        judge_structured: ask the judge for JSON that follows a schema; false if its server refuses that.
        instruction: system message for targets without one of their own; null gives none.
        encoding: encoding of a text file without a byte order mark; null means UTF-8.

    Raises:
        UserError: the path is missing, or the scoring or the encoding is unknown.
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
                "benchmark.path: expected your file of questions, found null; give one, for instance "
                "benchmark.path=my_questions.csv"
            )
        if scoring not in SCORINGS:
            raise UserError(f"benchmark.scoring: expected one of {', '.join(SCORINGS)}, found {scoring}")
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
        """Return the questions in the file's order.

        Raises:
            UserError: a column is missing, or a value is empty or impossible; names file and row.
        """
        if not self.path.is_file():
            raise UserError(
                f"benchmark.path={self.path}: expected a file that ends in {SUFFIXES}, found no such file"
            )
        return [self._question(text, where) for where, text in self._rows()]

    def scorer(self) -> Scorer:
        """Return the scorer that `scoring` names."""
        return self._scorer

    def _rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (place of the row, its known columns as text); a missing value is an empty text."""
        for chunk in read_chunks(Source(self.path, self.encoding, ENCODING_OPTION)):
            found = matched(chunk.names, {name: name for name in CONVERT}, self.path)
            if missing := [name for name in NEEDED if name not in found]:
                raise UserError(
                    f"{self.path}: row {chunk.rows[0]}: expected the columns {', '.join(NEEDED)}, found "
                    f"{', '.join(chunk.names)}; add {', '.join(missing)}"
                )
            cells = [chunk.columns[theirs] for theirs in found.values()]
            for row, values in zip(chunk.rows, zip(*cells, strict=True), strict=True):
                where = f"{self.path}: row {row}"
                texts = {name: _text(name, value, where) for name, value in zip(found, values, strict=True)}
                yield where, texts

    def _question(self, row: Mapping[str, str], where: str) -> Question:
        text = {name: cell.strip() for name, cell in row.items()}
        for key in NEEDED:
            if not text[key]:
                raise UserError(f"{where}: {key}: expected text, found an empty cell")
        facts = {}
        if text.get("num_options"):
            facts["num_options"] = _num_options(text["num_options"], where)
        if self.scoring == "letter":
            text["answer"] = text["answer"].upper()
            last = chr(ord("A") + facts.get("num_options", MAX_OPTIONS) - 1)
            if len(text["answer"]) != 1 or not "A" <= text["answer"] <= last:
                raise UserError(
                    f"{where}: answer: expected a letter from A to {last}, found {text['answer']!r}"
                )
        prompt = row["prompt"]
        return Question(
            row["query_id"] if text.get("query_id") else query_digest(prompt),
            text.get("category") or self.name,
            prompt,
            text["answer"],
            facts,
        )


def _text(name: str, cell: Any, where: str) -> str:
    # An empty CSV cell, a JSON null and an absent key all mean "missing"; 0 and false are answers.
    try:
        return checked_text(CONVERT[name](cell) or "")
    except BadCellError as error:
        raise UserError(f"{where}: {name}: {error}") from error


def _num_options(text: str, where: str) -> int:
    try:
        number = float(text)  # a data frame with missing values writes 4 as 4.0
    except ValueError:
        number = 0.0
    if number not in range(1, MAX_OPTIONS + 1):
        raise UserError(
            f"{where}: num_options: expected a whole number from 1 to {MAX_OPTIONS}, found {text!r}"
        )
    return int(number)
