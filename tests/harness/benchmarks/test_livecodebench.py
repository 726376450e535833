"""LiveCodeBench from a small file in exactly the layout of `livecodebench/code_generation_lite`."""

import asyncio
import base64
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub.errors import LocalEntryNotFoundError

from prefillroute.errors import UserError
from prefillroute.harness.benchmarks import livecodebench_data
from prefillroute.harness.benchmarks.livecodebench import LiveCodeBench
from prefillroute.harness.scorers.code import Case

CONF = Path(__file__).parents[3] / "conf" / "benchmark" / "livecodebench.yaml"
STARTER = "class Solution:\n    def addTo(self, nums: List[int], k: int) -> List[int]:\n        "


def packed(cases: list[dict[str, str]]) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode()


def task(**changes: Any) -> dict[str, Any]:
    kind = {"testtype": "stdin"}
    record = {
        "question_title": "Sum",
        "question_content": "Print the sum of two numbers.\n\nSample: 1 2 gives 3",
        "platform": "atcoder",
        "question_id": "abc301_a",
        "contest_id": "abc301",
        "contest_date": "2023-05-13T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps([{"input": "1 2\n", "output": "3\n", **kind}]),
        "private_test_cases": packed(
            [{"input": "5 é", "output": "5", **kind}, {"input": "2 2", "output": "4", **kind}]
        ),
        "metadata": "{}",
    }
    return record | changes


def function_task(**changes: Any) -> dict[str, Any]:
    kind = {"testtype": "functional"}
    return task(
        question_id="2824",
        platform="leetcode",
        contest_date="2024-09-01T19:30:00",
        starter_code=STARTER,
        difficulty="hard",
        public_test_cases=json.dumps([{"input": "[1, 2]\n3", "output": "[4, 5]", **kind}]),
        private_test_cases=json.dumps([{"input": "[]\n3", "output": "[]", **kind}]),
        metadata=json.dumps({"func_name": "addTo"}),
        **changes,
    )


def write(file: Path, *records: dict[str, Any]) -> str:
    file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    return str(file)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return write(tmp_path / "test.jsonl", task(question_content="Ünïcode\u2028first"), function_task())


def test_questions_in_the_order_of_the_file(path: str) -> None:
    script, function = LiveCodeBench(path=path).questions()
    assert (script.query_id, script.category) == ("livecodebench:abc301_a", "easy")
    assert script.facts == {"fn_name": None, "day": "2023-05-13"}
    assert function.facts == {"fn_name": "addTo", "day": "2024-09-01"}
    assert script.prompt.endswith(
        "### Question:\nÜnïcode\u2028first\n\n### Format: Read the inputs from stdin solve the problem and write the "
        "answer to stdout (do not directly test on the sample inputs). Enclose your code within delimiters as "
        "follows.\n```python\n# YOUR CODE HERE\n```\n\n### Answer: (use the provided format with backticks)\n\n"
    )
    assert "You will use the following starter code" in function.prompt
    assert f"```python\n{STARTER}\n```" in function.prompt


def test_public_and_private_cases_both_packings(path: str) -> None:
    benchmark = LiveCodeBench(path=path)
    script, function = benchmark.questions()
    assert benchmark.cases(script) == [Case("1 2\n", "3\n"), Case("5 é", "5"), Case("2 2", "4")]
    assert benchmark.cases(function) == [Case("[1, 2]\n3", "[4, 5]"), Case("[]\n3", "[]")]
    assert "output" not in script.answer
    assert os.path.dirname(path) not in script.answer  # a moved folder is the same benchmark


def test_responses_are_scored(path: str) -> None:
    benchmark = LiveCodeBench(path=path, cpu_seconds=2, memory_mb=300)
    script, function = benchmark.questions()
    scorer = benchmark.scorer()
    try:
        scorer.check()
    except UserError as error:
        pytest.skip(str(error))

    def correct(question: Any, program: str) -> float | None:
        return asyncio.run(scorer.score(question, f"```python\n{program}\n```")).correct

    assert correct(script, "a, b = input().split()\nprint(int(a) + (int(b) if b.isdecimal() else 0))") == 1.0
    assert correct(script, "print(sum(map(int, input().split())))") == 0.0  # passes the public test only
    assert correct(function, f"{STARTER}return [n + k for n in nums]") == 1.0
    assert correct(function, f"{STARTER}return nums") == 0.0


@pytest.mark.parametrize(
    ("days", "left"),
    [
        ({"start_date": "2023-05-13"}, 2),
        ({"start_date": "2023-05-14"}, 1),
        ({"end_date": "2024-09-01"}, 2),
        ({"end_date": "2024-08-31"}, 1),
        ({"start_date": "2023-05-13", "end_date": "2023-05-13"}, 1),
    ],
)
def test_days_are_inclusive(path: str, days: dict[str, str], left: int) -> None:
    assert len(LiveCodeBench(path=path, **days).questions()) == left


def test_a_release_is_all_files_up_to_its_own(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", task())
    write(tmp_path / "test2.jsonl", function_task())
    for release, ids in (("release_v1", ["abc301_a"]), ("release_v2", ["abc301_a", "2824"])):
        questions = LiveCodeBench(release, str(tmp_path)).questions()
        assert [question.query_id.removeprefix("livecodebench:") for question in questions] == ids
    with pytest.raises(UserError, match=r"found no file .*test3.jsonl"):
        LiveCodeBench("release_v3", str(tmp_path)).questions()


def test_the_hub_gives_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(repo: str, name: str, repo_type: str) -> str:
        asked.append((repo, name, repo_type))
        return write(tmp_path / name, task(question_id=name))

    monkeypatch.setattr(livecodebench_data, "hf_hub_download", fetch)
    assert len(LiveCodeBench().questions()) == 6
    assert asked[0] == ("livecodebench/code_generation_lite", "test.jsonl", "dataset")


def test_no_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("cannot find the file\nand more")

    monkeypatch.setattr(livecodebench_data, "hf_hub_download", fail)
    with pytest.raises(
        UserError, match=r"test\.jsonl .*LocalEntryNotFoundError: cannot find the file\).*benchmark.path"
    ) as error:
        LiveCodeBench().questions()
    assert "\n" not in str(error.value)


class Hostile:
    """Unpickled by the standard unpickler, this runs a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch planted",)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (
            base64.b64encode(zlib.compress(pickle.dumps(Hostile()))).decode(),
            r"a string in the pickle, found posix\.system",
        ),
        (base64.b64encode(zlib.compress(pickle.dumps([1]))).decode(), "TypeError"),
        (base64.b64encode(zlib.compress(b"no pickle")).decode(), "UnpicklingError"),
        (base64.b64encode(b"no zlib").decode(), "error"),
        ("no base64!", "Error"),
        (packed([{"input": "1"}])[:-8], "private_test_cases"),
        (packed([{"input": "1"}]), "KeyError: 'output'"),
        ("7", "TypeError"),
        ("", "EOFError|error"),
    ],
)
def test_damaged_or_hostile_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    benchmark = LiveCodeBench(path=write(tmp_path / "x.jsonl", task(private_test_cases=cases)))
    (question,) = benchmark.questions()
    with pytest.raises(UserError, match=message) as error:
        benchmark.cases(question)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question_id": ', r"x.jsonl, line 2: expected a task .*in JSON"),
        ("[]", r"line 2: expected a task .*found one without question_content, platform"),
        (
            json.dumps({k: v for k, v in task().items() if k != "metadata"}),
            r"line 2: .*found one without metadata",
        ),
        (json.dumps(task(contest_date="May 2023")), r"line 2, contest_date: expected a day .*'May 2023'"),
        (json.dumps(task(metadata="[1]")), r"line 2: metadata: expected a JSON object, found '\[1\]'"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "x.jsonl").write_text(f"{json.dumps(task())}\n{line}\n")
    with pytest.raises(UserError, match=message):
        LiveCodeBench(path=str(tmp_path / "x.jsonl")).questions()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"release": "release_v9"}, "benchmark.release: expected one of release_v1.*found 'release_v9'"),
        ({"start_date": "soon"}, "benchmark.start_date: expected a day .*found 'soon'"),
        (
            {"start_date": "2024-02-02", "end_date": "2024-02-01"},
            "expected no later than end_date 2024-02-01, found 2024-02-02",
        ),
        ({"cpu_seconds": 0}, "cpu_seconds: expected at least 1, found 0"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        LiveCodeBench(**arguments)


def test_no_task_left_and_no_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected at least one task from 2025-01-01 to the last, found none"):
        LiveCodeBench(path=path, start_date="2025-01-01").questions()
    with pytest.raises(UserError, match=r"benchmark.path: expected .*, found no file .*nowhere"):
        LiveCodeBench(path=str(tmp_path / "nowhere")).questions()


def test_the_yaml_holds_the_defaults() -> None:
    node = yaml.safe_load(CONF.read_text())
    assert node.pop("_target_") == f"{LiveCodeBench.__module__}.{LiveCodeBench.__name__}"
    assert LiveCodeBench(**node).scorer().identity == LiveCodeBench().scorer().identity
