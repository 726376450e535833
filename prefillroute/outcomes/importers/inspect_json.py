"""Inspect's logs in JSON that Inspect itself refuses, because some versions wrote a score of NaN as null.

A `.json` log is validated as a whole: one such sample would take all others with it, unlike in a `.eval` log.
"""

import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an optional extra
    from inspect_ai.log import EvalLog, EvalSample

SCORED = ("scores", "score", "results", "reductions")
"""Parts of a log or a sample that hold values of scores."""


def read_header(read: Callable[..., "EvalLog"], file: Path) -> "EvalLog":
    """The log without its samples.

    Args:
        read: Inspect's `read_eval_log`.
        file: JSON.

    Raises:
        Exception: whatever Inspect raises, when nulls are not the cause.
    """
    try:
        return read(file, header_only=True)
    except Exception:
        content = _mended(file)
        if content is None:
            raise
        return _read(read, {**content, "samples": []})


def read_samples(
    read: Callable[..., "EvalLog"], file: Path, skip: Callable[[str], None]
) -> Iterator["EvalSample"]:
    """The samples; those that cannot be read are left out and the others taken.

    Args:
        read: Inspect's `read_eval_log`.
        file: JSON.
        skip: told where a sample is that cannot be read.

    Raises:
        Exception: whatever Inspect raises, when the file is no JSON.
    """
    try:
        yield from read(file).samples or []
        return
    except Exception:
        content = _mended(file)
        if content is None:
            raise
    for sample in content["samples"]:
        try:
            (whole,) = _read(read, {**content, "samples": [sample]}).samples or []
        except Exception:  # whatever Inspect's parsers raise, the other samples are not lost
            name = sample if isinstance(sample, dict) else {}
            skip(f"{file} sample {name.get('id')} epoch {name.get('epoch')}")
            continue
        yield whole


def _read(read: Callable[..., "EvalLog"], content: dict[str, Any]) -> "EvalLog":
    return read(io.BytesIO(json.dumps(content).encode()), format="json")


def _mended(file: Path) -> dict[str, Any] | None:
    """The log with NaN for every null score; None where it is no JSON object with samples."""
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("samples") or [], list):
        return None
    content["samples"] = content.get("samples") or []
    for part in (content, *content["samples"]):
        if isinstance(part, dict):
            for name in SCORED:
                _fill(part.get(name))
            for event in part.get("events") or []:
                _fill(event.get("score") if isinstance(event, dict) else None)
    return content


def _fill(node: Any) -> None:
    """Put NaN for null under every key `value`, in place."""
    if isinstance(node, dict):
        if "value" in node and node["value"] is None:
            node["value"] = math.nan
        for child in node.values():
            _fill(child)
    elif isinstance(node, list):
        for child in node:
            _fill(child)
