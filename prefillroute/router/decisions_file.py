"""Writes the decisions of a batch, whole or not at all."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prefillroute.errors import UserError
from prefillroute.files import replacing, write_text
from prefillroute.router.decision import Decision
from prefillroute.router.queries import Query

SUFFIXES = (".jsonl", ".parquet")


def check_output(path: Path) -> None:
    """Check before the work begins that decisions can be written to `path`.

    Raises:
        UserError: the suffix is unknown, or the folder is not writable.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{path}: expected a suffix among {', '.join(SUFFIXES)}, found '{path.suffix}'")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(
            f"{path.parent}: expected a writable folder, found {error.strerror or error}"
        ) from error


def write_decisions(path: Path, queries: Sequence[Query], decisions: Sequence[Decision]) -> None:
    """Write one row per query: JSON Lines as in `Decision.to_dict`, or parquet with one column per target and quantity.

    Raises:
        UserError: the disk is full or not writable; whatever was at `path` is unchanged.
    """
    check_output(path)
    rows = [
        {"query_id": query.query_id, **decision.to_dict()}
        for query, decision in zip(queries, decisions, strict=True)
    ]
    try:
        if path.suffix.lower() == ".jsonl":
            write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        else:
            with replacing(path) as partial:
                pd.DataFrame([_flat(row) for row in rows]).to_parquet(partial, index=False)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; nothing was written") from error


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Replace the two nested values by columns ``confidence/<target>`` and ``cost_usd/<target>``."""
    flat = {key: value for key, value in row.items() if not isinstance(value, dict)}
    for kind in ("confidence", "cost_usd"):
        flat.update({f"{kind}/{target}": value for target, value in row[kind].items()})
    return flat
