"""Pass@1: a response is correct if its program, run in the sandbox, passes every test case."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from prefillroute import threads
from prefillroute.harness.questions import Question
from prefillroute.harness.sandbox.box import PACKAGES, Sandbox
from prefillroute.harness.sandbox.check import check_isolation
from prefillroute.harness.sandbox.limits import Limits
from prefillroute.harness.scorers.code_answers import extract_program, same_output, same_value
from prefillroute.harness.scorers.contract import Scorer, Verdict

SHOWN = 100
"""Characters of a test's output that an explanation quotes."""


@dataclass(frozen=True)
class Case:
    """One test: standard input and output of a script, or JSON arguments (one per line) and value of a function."""

    input: str
    output: str


def cases_in_answer(question: Question) -> list[Case]:
    """Read the test cases from `Question.answer`: a JSON list of objects with `input` and `output`."""
    return [Case(case["input"], case["output"]) for case in json.loads(question.answer)]


class PassAtOne(Scorer):
    """Scores 1 if the program passes all test cases, else 0; the first failure ends the run.

    If a question has the fact `fn_name`, that function is called (as a method of the class `Solution`, if there is
    one); otherwise the program is run as a script. All cases of a program share a sandbox, each in a fresh process. The
    expected outputs never enter the sandbox, where a hostile program could read them: outputs are compared outside.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        at_once: int | None = None,
        packages: Sequence[str] = PACKAGES,
        cases: Callable[[Question], Sequence[Case]] = cases_in_answer,
    ) -> None:
        """Set the limits.

        Args:
            limits: limits of each test case; None takes the defaults.
            at_once: programs that run at the same time; None runs one per core that the job was given.
            packages: packages of this environment that a program may import.
            cases: returns the test cases of a question; called in a thread.
        """
        self._limits = limits or Limits()
        self._packages = tuple(packages)
        self._cases = cases
        self._threads = ThreadPoolExecutor(at_once or threads.cores(), thread_name_prefix="sandbox")

    @property
    def identity(self) -> str:
        """The limits and packages, but not how many programs run at once."""
        return f"PassAtOne({self._limits}, packages={self._packages})"

    def check(self) -> None:
        """Prove that programs are isolated on this machine, before any answer is paid for.

        Raises:
            UserError: they are not isolated; the message says what would help.
        """
        check_isolation()

    async def score(self, question: Question, response: str) -> Verdict:
        """Run the program in a response; a response without a program is wrong.

        Raises:
            UserError: the sandbox does not start.
            Exception: whatever reading the test cases raises.
        """
        program = extract_program(response)
        if not program:
            return Verdict(0.0, "", "no program in the response")
        stop = threading.Event()
        try:
            failure = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._first_failure, question, program, stop
            )
        finally:  # a cancelled run stops after its current case
            stop.set()
        return Verdict(0.0 if failure else 1.0, program, failure)

    def _first_failure(self, question: Question, program: str, stop: threading.Event) -> str:
        """Describe the first failure; empty if every case passes."""
        cases = self._cases(question)
        if not cases:
            raise ValueError(f"query '{question.query_id}': expected at least one test case, found none")
        function: Any = question.facts.get("fn_name") or None
        with Sandbox(program, function, self._limits, self._packages) as sandbox:
            for number, case in enumerate(cases, start=1):
                if stop.is_set():
                    return "cancelled"
                if failure := _failure(sandbox, case, function is not None):
                    return f"test {number} of {len(cases)}: {failure}"
        return ""


def _failure(sandbox: Sandbox, case: Case, called: bool) -> str:
    """Say why a case fails; empty if it passes."""
    run = sandbox.run(case.input)
    if run.reason != "ok":
        last = run.stderr.strip().rsplit("\n", 1)[-1][:SHOWN] or f"status {run.status}"
        return f"{run.reason}: {last}" if run.reason == "crash" else f"{run.reason} limit"
    if called:
        return "" if same_value(run.value, case.output) else _difference(run.value, case.output)
    return "" if same_output(run.stdout, case.output) else _difference(run.stdout, case.output)


def _difference(found: str, expected: str) -> str:
    return f"wrong: {found[:SHOWN]!r}, expected {expected[:SHOWN]!r}"
