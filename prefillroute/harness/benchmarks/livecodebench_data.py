"""The files of `livecodebench/code_generation_lite`: one task per line, with its private test cases packed."""

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
"""Release -> its files; each release holds the files of all earlier ones."""
FIELDS = (
    *("question_content", "platform", "question_id", "contest_date", "starter_code", "difficulty"),
    *("public_test_cases", "private_test_cases", "metadata"),
)
MAX_BYTES = 2 * 10**9
"""Most bytes that the test cases of one task may unpack to; the data set's largest take hundreds of megabytes."""


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in bytes, line) of every line that is not empty."""
    offset = 0
    with open(file, "rb") as lines:
        for line in lines:
            if line.strip():
                yield offset, line
            offset += len(line)


def read_record(line: bytes, where: str) -> dict[str, Any]:
    """Parse one task.

    Raises:
        UserError: the line is not JSON, or lacks a field.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UserError(
            f"{where}: expected a task of {REPO} in JSON, found something else ({error}); download the file again"
        ) from None
    missing = [field for field in FIELDS if not isinstance(record, dict) or field not in record]
    if missing:
        raise UserError(f"{where}: expected a task of {REPO}, found one without {', '.join(missing)}")
    return dict(record)


def function_name(record: dict[str, Any], where: str) -> str | None:
    """Name of the function that a task asks for; None if it asks for a script.

    Raises:
        UserError: the metadata is not a JSON object.
    """
    try:
        name = dict(json.loads(record["metadata"] or "{}")).get("func_name")
    except (TypeError, ValueError):
        raise UserError(
            f"{where}: metadata: expected a JSON object, found {str(record['metadata'])[:80]!r}"
        ) from None
    return None if name is None else str(name)


def contest_day(record: dict[str, Any], where: str) -> date:
    """Read the day of a task's contest.

    Raises:
        UserError: the date is not written YYYY-MM-DD.
    """
    return read_day(str(record["contest_date"])[:10], f"{where}, contest_date")


def read_day(text: str, key: str) -> date:
    """Read a day written YYYY-MM-DD.

    Raises:
        UserError: the text is anything else; names ``key``.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{key}: expected a day such as 2024-08-31, found '{text}'") from None


def read_cases(file: Path, offset: int) -> list[Case]:
    """Read the public and private test cases of the task whose line begins at byte ``offset``.

    Raises:
        UserError: no task begins there (any more), or its test cases are damaged.
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
                f"{where}: {field}: expected test cases, found {str(record[field])[:40]!r} ({reason})"
            ) from None
    return cases


def download(name: str) -> Path:
    """Return a file of the data set, from the hub or from its cache on this machine.

    Raises:
        UserError: neither has it.
    """
    try:
        return Path(hf_hub_download(REPO, name, repo_type="dataset"))
    # The hub's client raises errors of its own, of its HTTP library and of the system.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"livecodebench: expected {name} of {REPO} from the hub, found no way to download it "
            f"({type(error).__name__}: {reason}); connect, or set benchmark.path to a folder with the file"
        ) from error


def _decode(text: str) -> Any:
    """Decode test cases: JSON (public), or JSON in a pickled string, zlib-compressed and in base 64 (private)."""
    try:
        return json.loads(text)
    except ValueError:
        packed = base64.b64decode(text, validate=True)
    unpacked = zlib.decompressobj().decompress(packed, MAX_BYTES)
    return json.loads(_TextUnpickler(io.BytesIO(unpacked)).load())


class _TextUnpickler(pickle.Unpickler):
    """Accepts only strings and plain containers: a pickle that names a class or a function could run anything."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        """Refuse."""
        raise pickle.UnpicklingError(f"expected a string in the pickle, found {module_name}.{global_name}")
