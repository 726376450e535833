"""`prefillroute route --file`: whatever `import` takes, in every encoding, and its damages."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace

from experiments.badinput.case import Case
from experiments.badinput.damage import both, cut, written
from experiments.badinput.tables import content, table

QUERIES = (
    {"query_id": "x", "prompt": "add 1 and 2"},
    {"query_id": "y", "prompt": "spell the word Käse backwards"},
)
LINES = "".join(f"{query['prompt']}\n" for query in QUERIES)


def _route(
    name: str, what: str, data: bytes, wanted: str, status: int = 1, options: Sequence[str] = ()
) -> Case:
    return Case(
        f"route --file: {what}",
        lambda w: w.route("--file", name, "--out", "d.jsonl", *options),
        wanted,
        written(name, data),
        status=status,
        reads="d.jsonl",
    )


def _works(name: str, what: str, data: bytes, *options: str, ids: Sequence[str] = ("x", "y")) -> Case:
    case = _route(name, what, data, r"^2 decisions by .* in d\.jsonl$", 0, options)
    return replace(case, also=tuple(f'"query_id": "{id_}"' for id_ in ids), never="\ufeff")


CASES = (
    *(
        _works(name, f"{name.removeprefix('q.')} (works)", content(name, QUERIES))
        for name in ("q.csv", "q.tsv", "q.ndjson", "q.JSONL", "q.json", "q.csv.gz", "q.parquet.gz")
    ),
    _works("q.txt", "a byte order mark and blank lines (works)", f"\ufeff{LINES}\n \n".encode(), ids="01"),
    _works("q.txt.gz", "gzipped UTF-16 (works)", gzip.compress(LINES.encode("utf-16")), ids="01"),
    _works(
        "q.csv",
        "Windows' letters by --encoding (works)",
        content("q.csv", QUERIES, "cp1252"),
        "--encoding",
        "cp1252",
    ),
    _works(
        "q.jsonl",
        "ids that are null or blank, a byte order mark and blank lines (works)",
        (
            "\ufeff"
            + "\n\n".join(
                json.dumps(query | {"query_id": id_}) for query, id_ in zip(QUERIES, (None, ""), strict=True)
            )
        ).encode(),
        ids="01",
    ),
    _works(
        "q.csv",
        "a log with several targets per query (works)",
        content("q.csv", [query | {"target": target} for query in QUERIES for target in "abc"]),
    ),
    _works(
        "q.json",
        "ids 0 and false (works)",
        content(
            "q.json", [query | {"query_id": id_} for query, id_ in zip(QUERIES, (0, False), strict=True)]
        ),
        ids=("0", "false"),
    ),
    _route(
        "q.csv",
        "Windows' letters without a word",
        content("q.csv", QUERIES, "cp1252"),
        r"q\.csv: line 3: expected UTF-8, found byte 0xe4; .*--encoding cp1252",
    ),
    _route(
        "q.txt",
        "UTF-16 without a byte order mark",
        LINES.encode("utf-16-le"),
        r"q\.txt: expected UTF-8 or --encoding utf-16-le, found what looks like UTF-16",
    ),
    _route(
        "q.csv",
        "no such encoding",
        content("q.csv", QUERIES),
        "--encoding: expected an encoding.*, found hex",
        options=("--encoding", "hex"),
    ),
    Case(
        "route --file: gzip cut short",
        lambda w: w.route("--file", "q.csv.gz", "--out", "d.jsonl"),
        r"q\.csv\.gz: expected a whole gzip file",
        both(table("q.csv.gz", QUERIES), cut("q.csv.gz", 0.7)),
    ),
    Case(
        "route --file: Parquet cut short",
        lambda w: w.route("--file", "q.parquet", "--out", "d.jsonl"),
        r"q\.parquet: expected a whole Parquet file",
        both(table("q.parquet", QUERIES), cut("q.parquet")),
    ),
    _route(
        "q.csv",
        "a row with a comma too many",
        b"prompt,n\na,1\nb, c,1\n",
        r"q\.csv: row 2: expected 2 cells as in the header, found 3",
    ),
    _route("q.csv", "header only", b"prompt\n", r"q\.csv: expected at least one row"),
    _route(
        "q.jsonl",
        "half an emoji",
        b'{"prompt": "cut \\ud83d"}\n',
        r"q\.jsonl: row 1: prompt: expected whole characters",
    ),
    _route(
        "q.jsonl",
        "a NUL character",
        b'{"prompt": "a\\u0000b"}\n',
        r"q\.jsonl: row 1: prompt: expected text, found a NUL",
    ),
    _route(
        "q.jsonl",
        "a list for a prompt",
        b'{"prompt": ["x"]}\n',
        r"row 1: prompt: expected text, found a list",
    ),
    _route(
        "q.csv",
        "a row without a prompt",
        b"prompt,n\nx,1\n ,2\n",
        r"q\.csv: row 2: expected .*found an empty prompt",
    ),
    _route(
        "q.jsonl",
        "two prompts under one id",
        b'{"prompt":"a","query_id":1}\n{"prompt":"b","query_id":1.0}\n',
        "row 2: expected one prompt for query_id '1', found a second",
    ),
    _route(
        "q.docx",
        "a suffix that no table has",
        b"PK\x03\x04",
        r"q\.docx: expected one of \.csv.*, found \.docx",
    ),
    _route(
        "q.csv",
        "a workbook under the name of a CSV file",
        b"PK\x03\x04" + bytes(60),
        "a zip archive or an Excel workbook",
    ),
)
