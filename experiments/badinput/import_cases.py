"""Files that `prefillroute import csv` meets: every format, encodings, damages, and what a folder holds besides."""

import gzip
import json
from collections.abc import Callable

from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, cut, written
from experiments.badinput.tables import calls, content, table
from experiments.badinput.workspace import Workspace

WHOLE = "4 queries, 2 targets, 8 outcomes; 4 queries have every target's"


def imported(*words: str, out: str = "data/mine") -> Callable[[Workspace], list[str]]:
    """`prefillroute import csv` of a person's own log."""
    return lambda workspace: workspace.command("import", "csv", *words, "--out", out)


def _halves(second: str) -> Callable[[Workspace], None]:
    """A folder with two queries in a CSV file and two in another file."""
    return both(table("log/first.csv", calls(count=2)), table(f"log/{second}", calls(2, count=2)))


def _works(
    name: str,
    command: Callable[[Workspace], list[str]],
    prepare: Prepare,
    wanted: str = WHOLE,
    also: tuple[str, ...] = (),
) -> Case:
    return Case(f"import: {name}", command, wanted, prepare, status=0, also=also)


_log = imported("log")
_csv = table("log/a.csv", calls())

CASES = (
    *(
        _works(f"a folder with {what} beside a CSV file is read", _log, _halves(name))
        for what, name in (
            ("a gzipped part", "second.csv.gz"),
            ("a TSV file", "second.tsv"),
            ("a gzipped JSONL file", "second.jsonl.gz"),
            ("a JSON array", "second.json"),
            ("a Parquet file", "second.parquet"),
            ("a file in capital letters", "SECOND.NDJSON"),
            ("a folder with a file", "more/second.csv"),
        )
    ),
    _works(
        "files of unknown suffixes are named",
        _log,
        both(_csv, written("log/notes.md", b"x"), written("log/sheet.xlsx", b"x"), written("log/old", b"x")),
        also=(
            r"left out notes\.md: expected \.csv.*, found \.md",
            r"left out sheet\.xlsx",
            "left out old: expected .*found no suffix",
        ),
    ),
    _works(
        "a file of other columns, an empty one and one without rows are named",
        _log,
        both(
            _csv,
            written("log/b.csv", b"id,year\n1,2024\n"),
            written("log/c.csv", b""),
            written("log/d.jsonl", b"\n\n"),
        ),
        also=(
            r"left out b\.csv: expected the columns 'prompt'",
            r"left out c\.csv: expected a header line and rows",
            r"left out d\.jsonl: expected at least one row",
        ),
    ),
    _works(
        "outcome tables in the folder are no log",
        imported("data", out="other"),
        table("data/log.csv", calls()),
        also=(r"left out tiny/outcomes\.parquet, tiny/queries\.parquet: in an outcome folder",),
    ),
    Case(
        "import: a folder without a log",
        _log,
        r"log: expected a file .*\.csv.*, found no log",
        written("log/a.md", b"x"),
    ),
    _works(
        "a byte order mark and Windows line ends",
        imported("log.csv"),
        written("log.csv", b"\xef\xbb\xbf" + content("log.csv", calls()).replace(b"\n", b"\r\n")),
    ),
    _works("UTF-16", imported("log.csv"), table("log.csv", calls(), "utf-16")),
    Case(
        "import: UTF-16 without a byte order mark",
        imported("log.csv"),
        r"log\.csv: expected UTF-8 or --encoding utf-16-le, found what looks like UTF-16 without a byte order mark",
        table("log.csv", calls(), "utf-16-le"),
    ),
    Case(
        "import: Windows' letters without a word about them",
        imported("log.csv"),
        r"log\.csv: line 2: expected UTF-8, found byte 0xdf; .*--encoding cp1252",
        table("log.csv", calls(), "cp1252"),
    ),
    _works(
        "Windows' letters by --encoding",
        imported("log.csv.gz", "--encoding", "cp1252"),
        table("log.csv.gz", calls(), "cp1252"),
    ),
    Case(
        "import: no such encoding",
        imported("log.csv", "--encoding", "klingon"),
        "--encoding: expected an encoding, for instance utf-8.*, found klingon",
        table("log.csv", calls()),
    ),
    _works(
        "semicolons and decimal commas",
        imported("log.csv"),
        written("log.csv", b"sep=;\r\nprompt;target;correct\r\nWhat, now?;a;0,5\r\nWhat, now?;b;1\r\n"),
        "1 queries, 2 targets, 2 outcomes",
    ),
    Case(
        "import: gzip cut short",
        imported("log.csv.gz"),
        r"log\.csv\.gz: expected a whole gzip file",
        both(table("log.csv.gz", calls(count=500)), cut("log.csv.gz")),
    ),
    _works(
        "gzipped in name only is read",
        imported("log.csv.gz"),
        written("log.csv.gz", content("log.csv", calls())),
    ),
    Case(
        "import: Parquet cut short",
        imported("log.parquet"),
        r"log\.parquet: expected a whole Parquet file",
        both(table("log.parquet", calls()), cut("log.parquet")),
    ),
    Case(
        "import: JSON array cut short",
        imported("log.json"),
        r"log\.json: expected an array of objects, found no JSON",
        both(table("log.json", calls()), cut("log.json")),
    ),
    Case(
        "import: a workbook under the name of a CSV file",
        imported("log.csv"),
        r"log\.csv: expected text, found a zip archive or an Excel workbook; .* save the sheet as CSV",
        written("log.csv", b"PK\x03\x04" + bytes(60)),
    ),
    Case(
        "import: empty file",
        imported("log.csv"),
        r"log\.csv: expected a header line and rows, found an empty file",
        written("log.csv", b""),
    ),
    Case(
        "import: header only",
        imported("log.csv"),
        r"log\.csv: expected at least one row, found none",
        written("log.csv", b"prompt,target,correct\n"),
    ),
    Case(
        "import: the same header twice",
        imported("log.csv"),
        "header: expected 'correct' once, found it 2 times",
        written("log.csv", b"prompt,target,correct,correct\np,a,1,0\n"),
    ),
    Case(
        "import: headers that differ in case",
        imported("log.csv"),
        "expected one 'prompt', found columns 'Prompt' and 'PROMPT', which differ in case or blanks only",
        written("log.csv", b"Prompt,PROMPT,target,correct\np,q,a,1\n"),
    ),
    Case(
        "import: a row with a comma too many",
        imported("log.csv"),
        r"log\.csv: row 2: expected 3 cells as in the header, found 4",
        written("log.csv", b"prompt,target,correct\np,a,1\nWhat, now?,a,1\n"),
    ),
    Case(
        "import: a quote that is never closed",
        imported("log.csv"),
        "row 1: expected CSV with both quotes, found a cell whose opening quote is never closed",
        written("log.csv", b'prompt,target,correct\n"What?,a,1\nWhy?,a,1\n'),
    ),
    Case(
        "import: a key twice in one object",
        imported("log.jsonl"),
        r"log\.jsonl: row 2: expected one object per line, found no JSON \(key 'target' 2 times\)",
        written(
            "log.jsonl", json.dumps(calls()[0]).encode() + b'\n{"prompt":"p","target":"a","target":"b"}\n'
        ),
    ),
    Case(
        "import: columns under other names",
        imported("log.csv.gz"),
        "expected the columns 'target', 'correct', found prompt, model, score; .*--column ours=theirs",
        written("log.csv.gz", gzip.compress(b"prompt,model,score\np,a,1\n")),
    ),
    _works(
        "columns under other names by --column",
        imported("log.csv", "--column", "target=model", "--column", "correct=the score"),
        written("log.csv", b"prompt,model,the score\np,a,1\n"),
        "1 queries, 1 targets, 1 outcomes",
    ),
    Case(
        "import: a column of ours that is none",
        imported("log.csv", "--column", "answer=x"),
        "--column: expected OURS=THEIRS with OURS one of prompt, target.*, found answer=x",
        table("log.csv", calls()),
    ),
    Case(
        "import: a bad log over an earlier table",
        imported("log.csv", out="data/tiny"),
        "row 1: correct: expected .*, found 'maybe'",
        written("log.csv", b"prompt,target,correct\np,a,maybe\n"),
    ),
    Case(
        "import: read-only folder",
        imported("log.csv"),
        "data.*Permission denied",
        table("log.csv", calls()),
        read_only=("data",),
    ),
    Case(
        "import: disk full",
        imported("log.csv"),
        "data/mine.*File too large",
        table("log.csv", calls(count=400)),
        limit_bytes=1000,
    ),
)
