"""Pass@1: a response counts when its program passes every test case, run in the sandbox."""

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
"""Characters of a test's output in an explanation."""


@dataclass(frozen=True)
class Case:
    """One test: of a script, standard input and output; of a function, JSON arguments (one a line) and value."""

    input: str
    output: str


def cases_in_answer(question: Question) -> list[Case]:
    """The test cases as `Question.answer` holds them: a JSON list of objects with `input` and `output`."""
    return [Case(case["input"], case["output"]) for case in json.loads(question.answer)]


class PassAtOne(Scorer):
    """1 where the program passes all test cases, else 0; the first that fails ends the run.

    A question with the fact `fn_name` wants that function (of the class `Solution`, where there is one) called;
    without it the program is a script. All cases of a program share a sandbox, each in a fresh process. The expected
    outputs never enter it: the comparison is made here, so that all a hostile program can do is to be right.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        at_once: int | None = None,
        packages: Sequence[str] = PACKAGES,
        cases: Callable[[Question], Sequence[Case]] = cases_in_answer,
    ) -> None:
        """Set the terms.

        Args:
            limits: of each test case; none takes the defaults.
            at_once: programs run at the same time; none takes one per core that the job was given.
            packages: of this environment that a program may import.
            cases: the test cases of a question; called in a thread.
        """
        self._limits = limits or Limits()
        self._packages = tuple(packages)
        self._cases = cases
        self._threads = ThreadPoolExecutor(at_once or threads.cores(), thread_name_prefix="sandbox")

    @property
    def identity(self) -> str:
        """The limits and packages; not how many programs run at a time."""
        return f"PassAtOne({self._limits}, packages={self._packages})"

    def check(self) -> None:
        """Prove that programs are isolated on this machine, before answers are paid for.

        Raises:
            UserError: where they are not, with what would help.
        """
        check_isolation()

    async def score(self, question: Question, response: str) -> Verdict:
        """Run the program of a response; a response without one is wrong.

        Raises:
            UserError: where the sandbox does not start.
            Exception: what reading the test cases raises.
        """
        program = extract_program(response)
        if not program:
            return Verdict(0.0, "", "no program in the response")
        stop = threading.Event()
        try:
            failure = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._first_failure, question, program, stop
            )
        finally:  # a cancelled run ends with the case it is at
            stop.set()
        return Verdict(0.0 if failure else 1.0, program, failure)

    def _first_failure(self, question: Question, program: str, stop: threading.Event) -> str:
        """What went wrong first; empty where every case passed."""
        cases = self._cases(question)
        if not cases:
            raise ValueError(f"query '{question.query_id}' has no test case; expected at least one")
        function: Any = question.facts.get("fn_name") or None
        with Sandbox(program, function, self._limits, self._packages) as sandbox:
            for number, case in enumerate(cases, start=1):
                if stop.is_set():
                    return "cancelled"
                if failure := _failure(sandbox, case, function is not None):
                    return f"test {number} of {len(cases)}: {failure}"
        return ""


def _failure(sandbox: Sandbox, case: Case, called: bool) -> str:
    """Why a case fails; empty where it passes."""
    run = sandbox.run(case.input)
    if run.reason != "ok":
        last = run.stderr.strip().rsplit("\n", 1)[-1][:SHOWN] or f"status {run.status}"
        return f"{run.reason}: {last}" if run.reason == "crash" else f"{run.reason} limit"
    if called:
        return "" if same_value(run.value, case.output) else _difference(run.value, case.output)
    return "" if same_output(run.stdout, case.output) else _difference(run.stdout, case.output)


def _difference(found: str, expected: str) -> str:
    return f"wrong: {found[:SHOWN]!r}, expected {expected[:SHOWN]!r}"
