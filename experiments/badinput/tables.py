"""Tables that people bring: the same rows in any format, under any name, in any encoding."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.badinput.damage import Prepare, written
from experiments.badinput.workspace import Workspace

Rows = Sequence[Mapping[str, Any]]
TARGETS = ("a", "b")


def calls(first: int = 0, count: int = 4, targets: Sequence[str] = TARGETS, **cells: object) -> Rows:
    """A log of `count` questions, numbered from `first`, each put to every target; `cells` are the same in all rows."""
    return [
        {"prompt": f"Wie heißt {number} + 1?", "target": target, "correct": (number + index) % 2, **cells}
        for number in range(first, first + count)
        for index, target in enumerate(targets)
    ]


def content(name: str, rows: Rows, encoding: str = "utf-8") -> bytes:
    """The bytes of a file in the format that its name says."""
    plain = name.lower().removesuffix(".gz")
    suffix = plain.rpartition(".")[2]
    if suffix in ("csv", "tsv"):
        text = io.StringIO()
        delimiter = "\t" if suffix == "tsv" else ","
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode(encoding)
    elif suffix in ("jsonl", "ndjson"):
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        data = "\n".join(lines).encode(encoding)
    elif suffix == "json":
        data = json.dumps(list(rows), ensure_ascii=False).encode(encoding)
    else:
        assert suffix == "parquet", f"{name}: no format of a table"
        data = pd.DataFrame(rows).to_parquet(index=False)
    return gzip.compress(data) if plain != name.lower() else data


def table(name: str, rows: Rows, encoding: str = "utf-8") -> Prepare:
    """Put a table into the workspace."""
    return written(name, content(name, rows, encoding))


def own_pool(
    name: str, targets: Sequence[str] = TARGETS, file: str | None = None, **facts: object
) -> Prepare:
    """A person's own pool: its outcomes in ``data/mine`` and its facts in ``conf/pool``, prices filled in.

    Args:
        name: of the pool.
        targets: two or more, with prices of one and two USD.
        file: of the facts; by default the pool's name with ``.yaml``.
        facts: further keys of the file, or others than usual.
    """
    queries = pd.DataFrame(calls(targets=targets[:1]))[["prompt"]]
    queries = queries.assign(query_id=queries["prompt"], benchmark="log", category="log")
    outcomes = pd.DataFrame(calls(targets=targets, prompt_tokens=9, completion_tokens=4))
    prices = [{"name": target, "price_in": 1, "price_out": 2} for target in targets]
    pool = {"name": name, "outcomes": "data/mine", "import_hint": "make it", "targets": prices, **facts}
    path = f"conf/pool/{name}.yaml" if file is None else file

    def prepare(workspace: Workspace) -> None:
        folder = workspace.root / "data" / "mine"
        folder.mkdir(parents=True)
        queries.to_parquet(folder / "queries.parquet", index=False)
        outcomes.rename(columns={"prompt": "query_id"}).to_parquet(folder / "outcomes.parquet", index=False)
        # JSON is YAML, and every name stays text in it.
        written(path, json.dumps(pool).encode())(workspace)

    return prepare
