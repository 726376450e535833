"""Logs of Inspect AI that are damaged, or that some of its versions wrote and others refuse."""

import json
from collections.abc import Callable, Sequence

from experiments.badinput.case import Case
from experiments.badinput.damage import both, cut, written
from experiments.badinput.workspace import Workspace


def _import(*words: str) -> Callable[[Workspace], list[str]]:
    return lambda workspace: workspace.command("import", "inspect", "logs", "--out", "imported", *words)


def _log(*values: object, model: str = "openai/gpt-4o", version: int = 2) -> bytes:
    """A JSON log of one sample per score."""
    scores = [{"name": "match", "scorer": "match", "metrics": {}}]
    log = {
        "version": version,
        "status": "success",
        "eval": {
            "task": "sums", "model": model, "created": "2024-11-01T10:00:00+00:00", "task_id": "a", "run_id": "b",
            "dataset": {"name": "d"}, "config": {},
        },
        "plan": {"name": "p", "steps": [], "config": {}},
        "results": {"scores": scores},
        "stats": {"started_at": "", "completed_at": "", "model_usage": {}},
        "samples": [_sample(number, value) for number, value in enumerate(values, start=1)],
    }  # fmt: skip
    return json.dumps(log).encode()


def _sample(number: int, value: object) -> dict[str, object]:
    return {
        "id": number, "epoch": 1, "input": f"What is {number} + 1?", "target": "2", "messages": [],
        "output": {"model": "m", "choices": []}, "scores": {"match": {"value": value}}, "metadata": {}, "store": {},
        "events": [],
    }  # fmt: skip


def _taken(name: str, wanted: str, also: Sequence[str] = (), **logs: bytes) -> Case:
    files = (written(f"logs/{stem}.json", data) for stem, data in logs.items())
    return Case(f"import inspect: {name}", _import(), wanted, both(*files), status=0, also=tuple(also))


_THREE = "3 queries, 1 targets, 3 outcomes"

CASES = (
    Case("import inspect: no logs", _import(), "logs", written("logs/readme.txt", b"nothing")),
    Case("import inspect: log that is none", _import(), "broken", written("logs/broken.eval", b"no zip")),
    _taken(
        "a score that is null takes no other with it",
        _THREE,
        ["skipped 1: sample without a score of 'match'"],
        a=_log("C", None, "I", "C"),
    ),
    _taken(
        "a JSON file that is no log",
        _THREE,
        ["skipped 1: JSON file that is no log"],
        a=_log("C", "I", "C"),
        b=b"[1]",
    ),
    _taken(
        "a log cut short beside a whole one",
        _THREE,
        [r"skipped 1: b\.json could not be read"],
        a=_log("C", "I", "C"),
        b=_log("C", "I", "C", model="b")[:-300],
    ),
    _taken(
        "a log of a later version",
        _THREE,
        [r"b\.json could not be read \(Unable to read version 99"],
        a=_log("C", "I", "C"),
        b=_log("C", model="b", version=99),
    ),
    Case(
        "import inspect: every score is null",
        _import(),
        "found none that could be read .*without a score",
        written("logs/a.json", _log(None, None)),
    ),
    Case(
        "import inspect: no such scorer",
        _import("--scorer", "judge"),
        "found none that could be read .*'judge'",
        written("logs/a.json", _log("C", "I")),
    ),
    Case(
        "import inspect: a name for a target that no log has",
        _import("--target", "gpt=x"),
        r"--target: expected one of openai/gpt-4o.*, found gpt",
        written("logs/a.json", _log("C", "I")),
    ),
    Case(
        "import inspect: no name for a target",
        _import("--target", "openai/gpt-4o"),
        "expected OLD=NEW",
        written("logs/a.json", _log("C")),
    ),
    Case(
        "import inspect: all logs cut short",
        _import(),
        r"found none that could be read \(a\.json could not be read",
        both(written("logs/a.json", _log("C", "I")), cut("logs/a.json")),
    ),
)
