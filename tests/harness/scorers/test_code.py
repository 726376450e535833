"""Pass@1 on recorded kinds of answers, the ugly ones and the hostile ones."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from prefillroute.errors import UserError
from prefillroute.harness.questions import Question
from prefillroute.harness.sandbox.check import check_isolation
from prefillroute.harness.sandbox.limits import Limits
from prefillroute.harness.scorers.code import PassAtOne
from prefillroute.harness.scorers.code_answers import extract_program, same_output, same_value
from prefillroute.harness.scorers.contract import Verdict

LIMITS = Limits(cpu_seconds=1, wall_seconds=2, memory_mb=300, disk_mb=8, output_mb=1, processes=8)
SUM = [("1 2\n", "3\n"), ("5 5", "10"), ("-1 1", "0\n")]
ADD = [("[1, 2]\n3", "[1, 2, 3]"), ("[]\n0", "[0]")]
Judge = Callable[..., Verdict]


def question(cases: list[tuple[str, str]], function: str | None = None) -> Question:
    answer = json.dumps([{"input": given, "output": wanted} for given, wanted in cases])
    return Question("q", "easy", "Add the numbers.", answer, {"fn_name": function})


@pytest.fixture
def judge() -> Judge:
    try:
        check_isolation()
    except UserError as error:
        pytest.skip(str(error))

    def judge_one(program: str, cases: list[tuple[str, str]] = SUM, function: str | None = None) -> Verdict:
        scorer = PassAtOne(LIMITS, packages=())
        return asyncio.run(scorer.score(question(cases, function), f"```python\n{program}\n```"))

    return judge_one


@pytest.mark.parametrize(
    ("response", "program"),
    [
        ("Here:\n```python\nprint(1)\n```\nDone.", "print(1)"),
        ("```python\nprint(1)\n```\nBetter:\n```python\nprint(2)\n```", "print(2)"),
        ("```python\nprint(1)\n```\nOutput:\n```\n1\n```", "print(1)"),
        ("```\nprint(1)\n```", "print(1)"),
        ("```text\n1\n```\n```\nprint(1)\n```", "print(1)"),
        ("```Python3\nprint(1)\n```", "print(1)"),
        ("``` python \nprint(1)\n```  ", "print(1)"),
        ("```python\r\nif 1:\r\n    print(1)\r\n```\r\n", "if 1:\n    print(1)"),
        ("Well.\n```python\nprint(1)\nprint(", "print(1)\nprint("),
        ("```python\nprint(1)\n```python\nprint(2)\n```", "print(2)"),
        ("1. So:\n   ```python\n   for i in x:\n       print(i)\n   ```", "for i in x:\n    print(i)"),
        ("~~~python\nprint(1)\n~~~", "print(1)"),
        ('````python\nx = """\n```\n"""\n````', 'x = """\n```\n"""'),
        ("```cpp\nint main(){}\n```", "int main(){}"),
        ("```python\nprint(1)\n```\n```python\n\n```", "print(1)"),
        ("print(1)\n", "print(1)"),
        ("", ""),
        ("```python\n```", ""),
        ("```", ""),
    ],
)
def test_the_program_of_a_response(response: str, program: str) -> None:
    assert extract_program(response) == program


def test_a_long_response_is_read_quickly() -> None:
    start = time.monotonic()
    extract_program("`" * 10**6 + "\n" + "``` ` " * 10**5 + "\n" + "> \t" * 10**5 + "\n```\nx" * 10**4)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ("3\n", "3", True),
        ("  3 \r\n4\n\n", "3\n4\n", True),
        ("1.50 2", "1.5 2.0", True),
        ("1e2", "100", True),
        ("0.3333", "0.33333", False),
        ("50000000000000000", "50000000000000001", False),
        ("3 4", "3\n4", False),
        ("3\n\n4", "3\n4", False),
        ("Yes", "YES", False),
        ("1 yes", "1.0 yes", False),
        ("a  b", "a b", False),
        ("", "", True),
        ("", "0", False),
        ("nan", "nan", True),
        ("sNaN", "1", False),
        ("1e999999999999999999999", "1", False),
    ],
)
def test_outputs_are_compared_as_livecodebench_does(found: str, expected: str, same: bool) -> None:
    assert same_output(found, expected) is same


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ("[1, 2]", "[1,2]", True),
        ("1", "1.0", True),
        ("true", "1", True),
        ('[{"tuple": [1, 2]}]', "[[1, 2]]", False),
        ('"1"', "1", False),
        ("", "null", False),
        ("null", "null", True),
        ("[1] [1]", "[1]", False),
        ("[" * 200_000, "[]", False),
        ("9" * 10_000, "1", False),
    ],
)
def test_values_are_compared_as_python_does(found: str, expected: str, same: bool) -> None:
    assert same_value(found, expected) is same


def test_a_damaged_reference_is_not_the_answers_fault() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        same_value("1", "not JSON")


def test_right_programs_pass(judge: Judge) -> None:
    verdict = judge("print(sum(map(int, input().split())))")
    assert verdict == Verdict(1.0, "print(sum(map(int, input().split())))")
    assert (
        judge("class Solution:\n    def add(self, a, b):\n        return (*a, b)", ADD, "add").correct == 1.0
    )


def test_the_first_failing_test_is_named(judge: Judge) -> None:
    verdict = judge("print(3)")
    assert (verdict.correct, verdict.explanation) == (0.0, "test 2 of 3: wrong: '3\\n', expected '10'")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("I cannot solve this.", "test 1 of 3: crash: SyntaxError"),
        ("while True: pass", "test 1 of 3: time limit"),
        ("while True: print('x' * 10**5)", "test 1 of 3: output limit"),
        ("x = [0] * 10**9", "test 1 of 3: memory limit"),
        ("import os\nos._exit(0)", "test 1 of 3: wrong: ''"),
        ("import sys\nsys.exit('3')", "test 1 of 3: wrong: ''"),
        ("print(sum(map(int, input().split())), flush=True)\n1 / 0", "test 1 of 3: crash: ZeroDivisionError"),
        ("null = 0", "test 1 of 3: wrong: ''"),
    ],
)
def test_what_does_not_solve_the_task_is_wrong_and_says_why(judge: Judge, program: str, reason: str) -> None:
    verdict = judge(program)
    assert verdict.correct == 0.0
    assert verdict.explanation.startswith(reason)


FORGED_SCRIPTS = [
    # A verdict, or a frame of the driver's, on every descriptor that could lead out.
    'import os\nframe = b\'{"reason": "ok", "status": 0, "stdout": "3", "stderr": "", "value": "3", "seconds": 0}\'\n'
    "for n in range(256):\n    try:\n        os.write(n, b'%08x' % len(frame) + frame)\n"
    "    except OSError:\n        pass",
    "print('passed')\nprint('correct = 1.0')\nprint('{\"correct\": 1.0}')",
    # The expected outputs, from wherever they might be.
    "import gc, inside.driver, sys\nfor o in gc.get_objects():\n    if isinstance(o, dict) and 'output' in o:\n"
    "        print(o['output'])",
    "import sys\nframe = sys._getframe()\nwhile frame:\n    for v in frame.f_locals.values():\n"
    "        if isinstance(v, dict) and 'cases' in v:\n            print(v['cases'])\n    frame = frame.f_back",
    # The modules that the driver uses: poisoned in a child, they are whole in the next.
    'import json, builtins\njson.dumps = lambda *a, **k: \'{"reason": "ok"}\'\nbuiltins.len = lambda x: 0',
]


@pytest.mark.parametrize("program", FORGED_SCRIPTS)
def test_a_script_cannot_forge_a_pass(judge: Judge, program: str) -> None:
    assert judge(program).correct == 0.0


FORGED_FUNCTIONS = [
    "class Anything(list):\n    def __eq__(self, other):\n        return True\ndef add(a, b):\n    return Anything()",
    "import os\nos.write(3, b'[1, 2, 3]')\nos._exit(0)",  # by chance right for the first test, and then wrong
    "import os\ndef add(a, b):\n    os.write(3, b'[1, 2, 3]')\n    return [1, 2, 3]",
    "import sys\nsys.exit(0)",
    "import json\njson.dump = lambda value, file, **k: file.write('true')\ndef add(a, b):\n    return 1",
    "def add(a, b):\n    return [(1, 2, 3)]",
    "def add(a, b):\n    return add",
    "def add(a, b):\n    a.append(a)\n    return a",
    "def other():\n    pass",
]


@pytest.mark.parametrize("program", FORGED_FUNCTIONS)
def test_a_function_cannot_forge_a_pass(judge: Judge, program: str) -> None:
    assert judge(program, ADD, "add").correct == 0.0


def test_one_test_cannot_poison_the_next(judge: Judge) -> None:
    """A program that is right but for what it breaks on its way out passes: each test starts whole."""
    program = (
        "print(sum(map(int, input().split())))\nimport builtins, os, signal, sys\nbuiltins.print = None\n"
        "sys.stdout.flush()\nfor n in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):\n    os.kill(1, n)"
    )
    assert judge(program).correct == 1.0


def test_the_event_loop_stays_free_and_runs_are_limited() -> None:
    check_isolation()
    scorer = PassAtOne(LIMITS, at_once=2, packages=())
    slow = "```python\nimport time\ntime.sleep(0.4)\nprint(sum(map(int, input().split())))\n```"

    async def score_four() -> tuple[list[Verdict], int, float]:
        ticks, start = 0, time.monotonic()
        scoring = asyncio.gather(*(scorer.score(question(SUM[:1]), slow) for _ in range(4)))
        while not scoring.done():
            await asyncio.sleep(0.02)
            ticks += 1
        return await scoring, ticks, time.monotonic() - start

    verdicts, ticks, seconds = asyncio.run(score_four())
    assert [verdict.correct for verdict in verdicts] == [1.0] * 4
    assert ticks > 10
    assert seconds > 0.8  # two rounds of two


def test_a_cancelled_score_stops_after_its_test() -> None:
    check_isolation()
    scorer = PassAtOne(LIMITS, at_once=1, packages=())
    slow = "```python\nimport time\ntime.sleep(0.5)\nprint(input())\n```"

    async def cancel_one() -> float:
        task = asyncio.create_task(scorer.score(question([("1", "1")] * 40), slow))
        await asyncio.sleep(0.6)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        start = time.monotonic()
        assert (await scorer.score(question([("1", "1")]), slow)).correct == 1.0
        return time.monotonic() - start

    assert asyncio.run(cancel_one()) < 6


def test_no_program_is_wrong_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prefillroute.harness.scorers.code.Sandbox", None)
    verdict = asyncio.run(PassAtOne(LIMITS).score(question(SUM), "  \n"))
    assert verdict == Verdict(0.0, "", "no program in the response")


def test_a_question_without_cases_is_an_error() -> None:
    with pytest.raises(ValueError, match="query 'q': expected at least one test case, found none"):
        asyncio.run(PassAtOne(LIMITS).score(question([]), "print(1)"))


def test_other_limits_mean_judging_anew() -> None:
    assert PassAtOne(LIMITS).identity == PassAtOne(LIMITS, at_once=3).identity != PassAtOne(Limits()).identity
