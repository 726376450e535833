"""Write a table in any format that is read."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Table = dict[str, list[str]]


def _delimited(table: Table, delimiter: str, encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([list(table), *zip(*table.values(), strict=True)])
    return text.getvalue().encode(encoding)


def _records(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def _parquet(table: Table) -> bytes:
    content = io.BytesIO()
    pd.DataFrame(table).to_parquet(content, index=False)
    return content.getvalue()


WRITERS: dict[str, Callable[[Table], bytes]] = {
    "a.csv": lambda table: _delimited(table, ",", "utf-8"),
    "bom.CSV": lambda table: _delimited(table, ",", "utf-8-sig"),
    "excel.csv": lambda table: _delimited(table, ";", "utf-8-sig"),
    "bar.csv": lambda table: _delimited(table, "|", "utf-8"),
    "wide.csv": lambda table: _delimited(table, ",", "utf-16"),
    "wider.csv": lambda table: _delimited(table, ",", "utf-32"),
    "a.tsv": lambda table: _delimited(table, "\t", "utf-8"),
    "wide.tab": lambda table: _delimited(table, "\t", "utf-16"),
    "escaped.jsonl": lambda table: "\n".join(map(json.dumps, _records(table))).encode(),
    "a.NDJSON": lambda table: "\r\n\r\n".join(
        json.dumps(record, ensure_ascii=False) for record in _records(table)
    ).encode("utf-8-sig"),
    "wide.jsonl": lambda table: "\n".join(map(json.dumps, _records(table))).encode("utf-16"),
    "a.json": lambda table: json.dumps(_records(table), indent=1).encode(),
    "lines.json": lambda table: "\n".join(map(json.dumps, _records(table))).encode(),
    "a.parquet": _parquet,
}


@pytest.fixture(params=[*WRITERS, *(f"{name}.gz" for name in WRITERS)])
def written(request, tmp_path_factory) -> Callable[[Table], Path]:
    """`written(table)`: a file of the table, in one format."""
    file = tmp_path_factory.mktemp("table") / request.param
    name = request.param.removesuffix(".gz")

    def write(table: Table) -> Path:
        content = WRITERS[name](table)
        file.write_bytes(gzip.compress(content) if name != request.param else content)
        return file

    return write
