"""The files of `livecodebench/code_generation_lite`: one task a line, its private test cases packed."""

import base64
import io
import json
import pickle
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from huggingface_hub import hf_hub_download

from prefillroute.errors import UserError
from prefillroute.harness.scorers.code import Case

REPO = "livecodebench/code_generation_lite"
FILES = ("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl", "test6.jsonl")
RELEASES = {f"release_v{number}": FILES[:number] for number in range(1, len(FILES) + 1)}
"""Each release is all files up to its own."""
FIELDS = (
    *("question_content", "platform", "question_id", "contest_date", "starter_code", "difficulty"),
    *("public_test_cases", "private_test_cases", "metadata"),
)
MAX_BYTES = 2 * 10**9
"""Of the test cases of one task; the data set's largest have hundreds of megabytes."""


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not empty, with their offset in bytes."""
    offset = 0
    with open(file, "rb") as lines:
        for line in lines:
            if line.strip():
                yield offset, line
            offset += len(line)


def read_record(line: bytes, where: str) -> dict[str, Any]:
    """One task.

    Raises:
        UserError: for what is not JSON, or lacks a field.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UserError(f"{where}: no JSON ({error}); expected a task of {REPO}") from None
    missing = [field for field in FIELDS if not isinstance(record, dict) or field not in record]
    if missing:
        raise UserError(f"{where}: no field {', '.join(missing)}; expected a task of {REPO}")
    return dict(record)


def function_name(record: dict[str, Any], where: str) -> str | None:
    """The function that a task asks for; None if it asks for a script.

    Raises:
        UserError: for metadata in another form.
    """
    try:
        name = dict(json.loads(record["metadata"] or "{}")).get("func_name")
    except (TypeError, ValueError):
        raise UserError(
            f"{where}: metadata {str(record['metadata'])[:80]!r}; expected a JSON object"
        ) from None
    return None if name is None else str(name)


def contest_day(record: dict[str, Any], where: str) -> date:
    """The day of a task's contest.

    Raises:
        UserError: for a date in another form.
    """
    return read_day(str(record["contest_date"])[:10], f"{where}, contest_date")


def read_day(text: str, key: str) -> date:
    """A day written YYYY-MM-DD.

    Raises:
        UserError: naming the key, for anything else.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{key}: '{text}'; expected a day such as 2024-08-31") from None


def read_cases(file: Path, offset: int) -> list[Case]:
    """Public and private test cases of the task whose line begins at a byte.

    Raises:
        UserError: for a line that is not there (any more), or test cases in another form.
    """
    where = f"{file}, byte {offset}"
    with open(file, "rb") as lines:
        lines.seek(offset)
        record = read_record(lines.readline(), where)
    cases = []
    for field in ("public_test_cases", "private_test_cases"):
        try:
            cases += [Case(str(case["input"]), str(case["output"])) for case in _decode(record[field])]
        except (ValueError, TypeError, KeyError, EOFError, pickle.UnpicklingError, zlib.error) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UserError(
                f"{where}: {field} {str(record[field])[:40]!r} ({reason}); expected test cases"
            ) from None
    return cases


def download(name: str) -> Path:
    """A file of the data set, from the hub or from its cache on this machine.

    Raises:
        UserError: where neither has it.
    """
    try:
        return Path(hf_hub_download(REPO, name, repo_type="dataset"))
    except (
        Exception
    ) as error:  # the hub's client raises errors of its own, of its HTTP library and of the system
        reason = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"livecodebench: {name} of {REPO} was not downloaded ({type(error).__name__}: {reason}); expected the hub "
            "to be reachable, or benchmark.path to be a folder with the file"
        ) from error


def _decode(text: str) -> Any:
    """Test cases: JSON, or JSON in a pickled string in zlib in base 64, as the private ones are."""
    try:
        return json.loads(text)
    except ValueError:
        packed = base64.b64decode(text, validate=True)
    unpacked = zlib.decompressobj().decompress(packed, MAX_BYTES)
    return json.loads(_TextUnpickler(io.BytesIO(unpacked)).load())


class _TextUnpickler(pickle.Unpickler):
    """Takes strings and plain containers only: a pickle that names a class or a function could run anything."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        """Refuse."""
        raise pickle.UnpicklingError(f"{module_name}.{global_name} in a pickle; expected a string")
