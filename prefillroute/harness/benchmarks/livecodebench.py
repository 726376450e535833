"""LiveCodeBench: tasks of programming contests, each with the day it was published (arXiv 2403.07974).

inspect-evals 0.26 does not include it: its `livecodebench_pro` is another benchmark (C++ and Python on Codeforces-like
tasks, with a judge that needs docker), and its `livebench` runs a small subset without isolation. The data are in
`livecodebench/code_generation_lite` on the hub: 4.5 GB for release_v6, most of it private test cases.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks.livecodebench_data import (
    RELEASES,
    REPO,
    contest_day,
    download,
    function_name,
    read_cases,
    read_day,
    read_lines,
    read_record,
)
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.sandbox.limits import Limits
from prefillroute.harness.scorers.code import Case, PassAtOne

# LiveCodeBench's own wording (lcb_runner/prompts/code_generation.py), as one message: LiveCodeBench does the same for
# models to which it gives no system message.
SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and will generate a "
    "correct Python program that matches the specification and passes all tests. You will NOT return anything "
    "except for the program."
)
WITH_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your code within "
    "delimiters."
)
WITHOUT_STARTER = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample "
    "inputs). Enclose your code within delimiters as follows."
)


class LiveCodeBench(Benchmark):
    """The tasks of a release, chosen by contest day; a program must pass all test cases in the sandbox.

    The test cases stay in the files, because in memory they would take tens of gigabytes. The files are read once for
    the questions, and again whenever an answer is scored. `Question.answer` says where a task's line begins: its file
    and its offset in bytes.
    """

    name = "livecodebench"

    def __init__(
        self,
        release: str = "release_v6",
        path: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        cpu_seconds: int = 6,
        memory_mb: int = 2048,
        at_once: int | None = None,
    ) -> None:
        """Choose the tasks.

        Args:
            release: release_v1 to release_v6; ignored if `path` is a file.
            path: a JSONL file in the data set's layout, or a folder with `test.jsonl`, `test2.jsonl`, ...; null
                downloads them from the hub.
            start_date: first contest day, YYYY-MM-DD; null sets no lower bound.
            end_date: last contest day, YYYY-MM-DD; null sets no upper bound.
            cpu_seconds: CPU seconds that a program may use on one test case.
            memory_mb: MB of memory that a program may use.
            at_once: programs that run at the same time; null runs one per core.

        Raises:
            UserError: the release is unknown, a date is invalid, the start is after the end, or a limit is below 1.
        """
        if release not in RELEASES:
            raise UserError(f"benchmark.release: expected one of {', '.join(RELEASES)}, found '{release}'")
        self._release = release
        self._path = None if path is None else Path(path)
        self._start = None if start_date is None else read_day(start_date, "benchmark.start_date")
        self._end = None if end_date is None else read_day(end_date, "benchmark.end_date")
        if self._start and self._end and self._start > self._end:
            raise UserError(
                f"benchmark.start_date: expected no later than end_date {end_date}, found {start_date}"
            )
        self._limits = Limits(cpu_seconds=cpu_seconds, wall_seconds=2.5 * cpu_seconds, memory_mb=memory_mb)
        self._at_once = at_once

    def questions(self) -> list[Question]:
        """Return the tasks of the chosen days, in the order of the files.

        Raises:
            UserError: a file cannot be found or read, or no task is left.
        """
        questions = [question for name in self._names() for question in self._questions_in(name)]
        if not questions:
            days = f"{self._start or 'the first day'} to {self._end or 'the last'}"
            raise UserError(
                f"livecodebench: expected at least one task from {days}, found none; change benchmark.start_date or "
                "benchmark.end_date"
            )
        return questions

    def scorer(self) -> PassAtOne:
        """Pass@1 in the sandbox."""
        return PassAtOne(limits=self._limits, at_once=self._at_once, cases=self.cases)

    def cases(self, question: Question) -> list[Case]:
        """Read the test cases of one of `questions`.

        Raises:
            UserError: the file is gone or has changed.
        """
        place = json.loads(question.answer)
        return read_cases(self._file(place["file"]), place["offset"])

    def _names(self) -> tuple[str, ...]:
        """Names of the files to read, without their folder."""
        single = self._path is not None and not self._path.is_dir()
        return (self._path.name,) if single and self._path else RELEASES[self._release]

    def _file(self, name: str) -> Path:
        """Path of a file, which is downloaded if necessary."""
        if self._path is None:
            return download(name)
        file = self._path / name if self._path.is_dir() else self._path
        if not file.is_file():
            raise UserError(
                f"benchmark.path: expected a file of {REPO} or a folder with {name}, found no file {file}"
            )
        return file

    def _questions_in(self, name: str) -> Iterator[Question]:
        file = self._file(name)
        for number, (offset, line) in enumerate(read_lines(file), start=1):
            where = f"{file}, line {number}"
            record = read_record(line, where)
            day = contest_day(record, where)
            if (self._start or day) <= day <= (self._end or day):
                yield Question(
                    query_id=f"livecodebench:{record['question_id']}",
                    category=str(record["difficulty"]),
                    prompt=prompt_of(str(record["question_content"]), str(record["starter_code"] or "")),
                    answer=json.dumps({"file": name, "offset": offset}),
                    facts={"fn_name": function_name(record, where), "day": str(day)},
                )


def prompt_of(content: str, starter_code: str) -> str:
    """LiveCodeBench's instructions around a task, with starter code if the task asks for a function."""
    if starter_code:
        form, code = WITH_STARTER, starter_code
    else:
        form, code = WITHOUT_STARTER, "# YOUR CODE HERE"
    return (
        f"{SYSTEM}\n\n### Question:\n{content}\n\n### Format: {form}\n```python\n{code}\n```\n\n"
        "### Answer: (use the provided format with backticks)\n\n"
    )
