"""MMLU-Pro's `eval_results`, as in a `git clone` of github.com/TIGER-AI-Lab/MMLU-Pro.

Three layouts, each a JSON list of records: `eval_results/model_outputs_<model>_5shots.zip`,
`eval_results/<run>/<subject>_result.json` and `results/<model>/CoT/all/<subject>.json`. The owners removed
some runs again; where the path is a clone with its history they are read from there.
"""

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given

NAMES = {
    "Yi-6b-Chat": "Yi-6B-Chat",
    "mathstral-7B": "mathstral-7B-v0.1",
    "gpt4o": "gpt-4o-2024-05-13",
    "deepseek": "deepseek-v2-chat",
    "merged": "gemini-3.1-pro-preview",
    "llama-3-8b-quantized": "Llama-3-8B-Instruct-quantized",
}
"""Owners' names of runs that do not say which model it is, or spell it otherwise."""

HISTORY = {
    "gemini-3.1-pro-preview": ("4885ba7d293b6615be332ca69a9df773fdf67dce", "eval_results/merged"),
    "gpt-4o-2024-05-13": ("ff991b5b7f14a383fd41da3987447ab6c08bf138", "eval_results/gpt4o"),
    "deepseek-v2-chat": ("ff991b5b7f14a383fd41da3987447ab6c08bf138", "eval_results/deepseek"),
    "Meta-Llama-3-8B-Instruct": (
        "a05450ec54e38450827bbaa8271f078b8d919b4d",
        "results/Meta-Llama-3-8B-Instruct",
    ),
    "Llama-3-8B-Instruct-quantized": (
        "05c6997b92b6db9fe4379b0cab0649503a811ae6",
        "results/llama-3-8b-quantized",
    ),
}
"""Commit and folder of runs that are no longer, or not always, in the working tree."""

EXAMPLE_TOKENS = {
    "biology": 1179, "business": 988, "chemistry": 963, "computer science": 1091, "economics": 943,
    "engineering": 685, "health": 918, "history": 2093, "law": 1298, "math": 1061, "other": 746,
    "philosophy": 748, "physics": 914, "psychology": 1075,
}  # fmt: skip
"""Characters / 4 of the five worked examples and the instruction before a question, by subject."""
ANSWER_TOKENS = 30
"""Characters / 4 of "Question: ... Options: ... Answer: Let's think step by step." around a question."""

TEXT_KEYS = ("model_outputs", "generated_text", "response", "output")
LETTERS = "ABCDEFGHIJKLMNOP"
# The owners' first two patterns, but past the markdown and LaTeX that chat models put around the letter.
# Their third (any last capital letter) and their random guess are left out: they score luck as knowledge.
ANSWER_PATTERNS = (
    re.compile(r"answer is:?\s*[*$\\{(\[]*(?:boxed|text)?[{(]*([A-J])\b"),
    re.compile(r".*[aA]nswer:\s*[*$\\{(\[]*([A-J])\b"),
)


def find(path: Path) -> list[Path]:
    """Zips and JSON files of runs under a zip, an `eval_results` folder or a clone.

    Raises:
        UserError: when there is none.
    """
    if path.is_file():
        return [path]
    found = [
        *path.rglob("model_outputs_*.zip"),
        *path.rglob("*_result.json"),
        *path.glob("**/results/*/CoT/all/*.json"),
    ]
    if not found and not (path / ".git").exists():
        raise UserError(
            f"{path}: expected model_outputs_*.zip or *_result.json, found no results of MMLU-Pro; get them with "
            "`git clone https://github.com/TIGER-AI-Lab/MMLU-Pro`"
        )
    return sorted(set(found))


def read(given: Given, collector: Collector, advance: Advance) -> None:
    """Take the outcomes of all files, and of the runs that only a clone's history has; see `contract.Importer.read`.

    Damaged files are skipped and counted.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> question = {"question_id": 7, "question": "1 + 1?", "options": ["1", "2"], "category": "math"}
        >>> collector = Collector()
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "eval_results", "my-model", "math_result.json")
        ...     file.parent.mkdir(parents=True)
        ...     _ = file.write_text(json.dumps([{**question, "answer": "B", "pred": "B"}]))
        ...     read(Given.at([Path(folder)], find), collector, advance=lambda size: None)
        >>> collector.frames()[1][["query_id", "target", "correct"]].values.tolist()
        [['mmlu_pro:7', 'my-model', 1.0]]
    """
    for file in given.files:
        _read(file, collector, advance)
    for path in given.paths:
        read_history(path, collector)


def _read(file: Path, collector: Collector, advance: Advance) -> None:
    if file.suffix == ".zip":
        name = re.sub(r"^model_outputs_|_\d+shots?$", "", file.stem)
        name = re.sub(r"(?<=\d)_(?=\d)", ".", name)  # Meta-Llama-3_1-70B
        try:
            _read_zip(file.read_bytes(), NAMES.get(name, name), str(file), collector)
        except zipfile.BadZipFile:
            collector.skip("not a whole zip file", str(file))
    else:
        run = file.parents[2].name if file.parent.name == "all" else file.parent.name
        _read_json(file.read_bytes(), NAMES.get(run, run), str(file), collector)
    advance(file.stat().st_size)


def read_history(
    clone: Path, collector: Collector, history: dict[str, tuple[str, str]] | None = None
) -> None:
    """Take runs that the working tree lacks from a clone's history, by `git archive`."""
    if not (clone / ".git").exists():
        return
    for target, (commit, folder) in (history or HISTORY).items():
        if target in collector.targets:
            continue
        where = f"{commit[:8]}:{folder}"
        command = ["git", "-C", str(clone), "archive", "--format=zip", commit, folder]
        archive = subprocess.run(command, capture_output=True, check=False)
        if archive.returncode:
            collector.skip(
                "run not in this clone's history (was it cloned with --depth?)", f"{where} ({target})"
            )
            continue
        _read_zip(archive.stdout, target, where, collector)


def answer_letter(record: dict[str, Any]) -> str | None:
    """The letter that a target chose: the owners' `pred`, else what its text says, else None."""
    if isinstance(record.get("pred"), str):
        return str(record["pred"])
    text = next((record[key] for key in TEXT_KEYS if isinstance(record.get(key), str)), "")
    found = (pattern.search(text) for pattern in ANSWER_PATTERNS)
    return next((match.group(1) for match in found if match), None)


def _read_zip(content: bytes, target: str, where: str, collector: Collector) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            is_result = member.endswith(".json") and not member.startswith("__MACOSX")
            if is_result and "summary" not in Path(member).name:
                _read_json(archive.read(member), target, f"{where}/{member}", collector)


def _read_json(content: bytes, target: str, where: str, collector: Collector) -> None:
    for number, record in _records(content, where, collector):
        place = f"{where} record {number}"
        try:
            query = query_of(record)
            answer = record["answer"]
        except (KeyError, TypeError, ValueError, AttributeError):
            collector.skip("record without question_id, question, options, answer or category", place)
            continue
        text = next((record[key] for key in TEXT_KEYS if isinstance(record.get(key), str)), None)
        prompt_tokens = None
        if query["category"] in EXAMPLE_TOKENS:
            prompt_tokens = (
                round(len(str(query["prompt"])) / 4) + ANSWER_TOKENS + EXAMPLE_TOKENS[query["category"]]
            )
        collector.add(
            query,
            target,
            place,
            float(answer_letter(record) == answer),
            prompt_tokens=prompt_tokens,
            completion_tokens=None if text is None else round(len(text) / 4),
        )


def _records(content: bytes, where: str, collector: Collector) -> Iterator[tuple[int, Any]]:
    try:
        records = json.loads(content)
    except ValueError:
        collector.skip("not a whole JSON file", where)
        return
    if not isinstance(records, list):
        collector.skip("JSON without a list of records", where)
        return
    yield from enumerate(records, start=1)


def query_of(record: dict[str, Any]) -> dict[str, Any]:
    """The query of a record in the owners' layout: `question_id`, `question`, `options`, `category`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a field is missing or of another kind.
    """
    options = [option.strip() for option in record["options"] if option != "N/A"]  # the owners' padding
    choices = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return {
        "query_id": f"mmlu_pro:{int(record['question_id'])}",
        "benchmark": "mmlu_pro",
        "category": str(record["category"]),
        "prompt": f"{record['question'].strip()}\n\n{choices}",
    }
