"""LLMRouterBench: `results/bench/<dataset>/<split>/<model>/<...YYYYMMDD_HHMMSS>.json` (arXiv 2601.07206)."""

import json
import re
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given

TIMESTAMP = re.compile(r"(\d{8})_?(\d{6})?\D*\.json$")


def find(path: Path) -> list[Path]:
    """Result files, newest last in every model folder.

    Raises:
        UserError: when there is none.
    """
    root = next((folder for folder in (path / "results" / "bench", path / "bench") if folder.is_dir()), path)
    found = [path] if path.is_file() else list(root.glob("*/*/*/*.json"))
    if not found:
        raise UserError(f"{path}: expected <dataset>/<split>/<model>/<timestamp>.json below it, found none")
    return sorted(found, key=lambda file: (file.parent, _timestamp(file)))


def read(given: Given, collector: Collector, advance: Advance) -> None:
    """Take every model folder's newest file that is no demo; see `contract.Importer.read`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> record = {"index": 1, "origin_query": "What is 2 + 2?", "score": 1.0, "cost": 0.01}
        >>> collector = Collector()
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "arc", "test", "small", "small-20250101_120000.json")
        ...     file.parent.mkdir(parents=True)
        ...     _ = file.write_text(json.dumps({"records": [record]}))
        ...     read(Given.at([Path(folder)], find), collector, advance=lambda size: None)
        >>> collector.frames()[1][["query_id", "target", "correct", "cost_usd"]].values.tolist()
        [['arc/test/1', 'small', 1.0, 0.01]]
    """
    zero_costs = 0
    folders: dict[Path, list[Path]] = {}
    for file in given.files:
        folders.setdefault(file.parent, []).append(file)
    for candidates in folders.values():
        chosen = None
        for file in reversed(candidates):
            if chosen is None:
                chosen = _load(file, collector)
                if chosen is not None:
                    zero_costs += _take(chosen, file, collector)
            else:
                collector.skip("older file of the same dataset, split and model", str(file))
            advance(file.stat().st_size)
    if zero_costs:
        collector.notes.append(f"{zero_costs} outcomes say cost 0 (run locally): taken as unknown")


def query_text(value: Any) -> str:
    """A query as plain text: chat messages become their contents, other structures JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, dict) and "content" in item for item in value):
        return "\n\n".join(query_text(item["content"]) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _load(file: Path, collector: Collector) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_bytes())
    except ValueError:
        collector.skip("not a whole JSON file", str(file))
        return None
    if not isinstance(content, dict) or not isinstance(content.get("records"), list):
        collector.skip("JSON without a list `records`", str(file))
        return None
    if content.get("demo"):
        collector.skip("demo run", str(file))
        return None
    return content


def _take(content: dict[str, Any], file: Path, collector: Collector) -> int:
    """Take a file's records; returns how many say that they cost nothing."""
    zero_costs = 0
    dataset = str(content.get("dataset_name") or file.parents[2].name)
    split = str(content.get("split") or file.parents[1].name)
    target = str(content.get("model_name") or file.parent.name)
    for number, record in enumerate(content["records"], start=1):
        where = f"{file} record {number}"
        if not isinstance(record, dict) or record.get("index") is None:
            collector.skip("record without index", where)
            continue
        prompt = query_text(record.get("origin_query")) or query_text(record.get("prompt"))
        if not prompt.strip():
            collector.skip("record without query text", where)
            continue
        score = _number(record.get("score"))
        if score is None or not 0 <= score <= 1:
            collector.skip("no score" if score is None else "score outside [0, 1]", where)
            continue
        cost = _number(record.get("cost"))
        zero_costs += cost == 0
        collector.add(
            {
                "query_id": f"{dataset}/{split}/{record['index']}",
                "benchmark": dataset,
                "category": dataset,
                "prompt": prompt,
            },
            target,
            where,
            score,
            prompt_tokens=_tokens(record.get("prompt_tokens")),
            completion_tokens=_tokens(record.get("completion_tokens")),
            cost_usd=cost if cost is not None and cost > 0 else None,
        )
    return zero_costs


def _timestamp(file: Path) -> tuple[float, str]:
    match = TIMESTAMP.search(file.name)
    stamp = float(match.group(1) + (match.group(2) or "000000")) if match else file.stat().st_mtime
    return stamp, file.name


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and value == value  # not NaN
    return float(value) if is_number else None


def _tokens(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None
