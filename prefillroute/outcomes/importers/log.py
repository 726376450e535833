"""A user's own log: CSV or JSONL with one line per call.

Columns: `prompt`, `target`, `correct`; if known `query_id`, `benchmark`, `category`, `prompt_tokens`,
`completion_tokens`, `latency_s`, `ttft_s`, `cost_usd`, `split`, `near_dup_group`. Others are left out.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.outcomes.groups import GROUP_COLUMN
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.rows import read_rows
from prefillroute.outcomes.table import MEASURES
from prefillroute.outcomes.validation import PARTS

NEEDED = ("prompt", "target", "correct")
QUERY_EXTRAS = ("split", GROUP_COLUMN)
KNOWN = (*NEEDED, "query_id", "benchmark", "category", *MEASURES, *QUERY_EXTRAS)
WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def find(path: Path) -> list[Path]:
    """The file, or the CSV and JSONL files of a folder.

    Raises:
        UserError: when there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in (".csv", ".jsonl", ".ndjson"))
    if not found:
        raise UserError(f"{path}: no log; expected a .csv or .jsonl file")
    return found


def read(
    file: Path,
    collector: Collector,
    advance: Callable[[int], None],
    columns: Mapping[str, str] | None = None,
) -> None:
    """Take every row of a log; unlike public data, a bad row ends the import.

    Args:
        file: CSV or JSONL.
        collector: where outcomes go.
        advance: told how many bytes were read.
        columns: our name -> the log's name, where they differ.

    Raises:
        UserError: naming file and row, for a missing column, an empty prompt, a value out of range, or a
            target's second outcome on a query.
    """
    theirs = {name: name for name in KNOWN} | dict(columns or {})
    for row, record in read_rows(file, advance):
        where = f"{file}: row {row}"
        if row == 1:
            _check_header(record, theirs, file, collector)
        # In JSONL a key may be absent from some lines; an empty CSV cell is the same.
        value = {name: record.get(column) for name, column in theirs.items()}
        value = {name: None if found == "" else found for name, found in value.items()}
        for name in NEEDED[:2]:
            if value[name] is None or not str(value[name]).strip():
                raise UserError(f"{where}: {theirs[name]} is empty; expected text")
        prompt = str(value["prompt"])
        query_id = value["query_id"]
        if query_id is None:
            query_id = hashlib.sha256(" ".join(prompt.split()).encode()).hexdigest()[:16]
        query: dict[str, str | None] = {
            "query_id": str(query_id),
            "benchmark": str(value["benchmark"] or "log"),
            "category": str(value["category"] or value["benchmark"] or "log"),
            "prompt": prompt,
        }
        for name in QUERY_EXTRAS:
            if theirs[name] in record:
                query[name] = None if value[name] is None else str(value[name])
        if theirs["split"] in record and query["split"] not in PARTS:
            raise UserError(f"{where}: split is {value['split']!r}; expected one of {', '.join(PARTS)}")
        measures = {name: _number(value[name], theirs[name], where) for name in MEASURES}
        correct = _number(value["correct"], theirs["correct"], where, most=1.0)
        if not collector.add(
            query, str(value["target"]), where, math.nan if correct is None else correct, **measures
        ):
            name = f"target '{value['target']}' on query '{query['query_id']}'"
            raise UserError(f"{where}: second outcome of {name}; expected one")
        if collector.num_texts(str(query_id)) > 1:
            raise UserError(f"{where}: second prompt under query_id '{query['query_id']}'; expected one")


def _check_header(
    record: Mapping[str, Any], theirs: Mapping[str, str], file: Path, collector: Collector
) -> None:
    missing = [theirs[name] for name in NEEDED if theirs[name] not in record]
    if missing:
        raise UserError(
            f"{file}: no column {', '.join(map(repr, missing))}; found {', '.join(record)}, expected "
            f"{', '.join(NEEDED)} (name others with --column ours=theirs)"
        )
    ignored = [name for name in record if name not in theirs.values()]
    if ignored:
        collector.notes.append(f"{file.name}: columns left out: {', '.join(ignored)}")


def _number(value: Any, column: str, where: str, most: float = math.inf) -> float | None:
    if value is None:
        return None
    wanted = "a number in [0, 1]" if most == 1.0 else "a number not below 0"
    try:
        number = WORDS.get(value.strip().lower()) if isinstance(value, str) and most == 1.0 else None
        number = float(value) if number is None else number
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: {column} is {value!r}; expected {wanted}") from error
    if not (0 <= number <= most and math.isfinite(number)):
        raise UserError(f"{where}: {column} is {value}; expected {wanted}")
    return number
