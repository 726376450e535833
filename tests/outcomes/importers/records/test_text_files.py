"""Encodings, delimiters, blank rows, damage."""

import gzip
import json

import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.read import find_files, read_rows, suffix_of
from prefillroute.outcomes.importers.records.source import NoRecordsError


def rows_of(file, **options):
    return list(read_rows(file, **options))


def test_other_encodings_by_name(tmp_path):
    file = tmp_path / "q.csv"
    file.write_bytes("prompt,n\nfür „Käse“ – €,1\n".encode("cp1252"))
    assert rows_of(file, encoding="cp1252") == [(1, {"prompt": "für „Käse“ – €", "n": "1"})]
    file.write_bytes("prompt,n\nplain,1\n".encode("utf-16-le"))
    assert rows_of(file, encoding="utf-16-le") == [(1, {"prompt": "plain", "n": "1"})]
    file.write_bytes("prompt,n\nmärk,1\n".encode("utf-8-sig"))  # the mark wins over a wrong name
    assert rows_of(file, encoding="cp1252") == [(1, {"prompt": "märk", "n": "1"})]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            b"prompt,n\nok,1\ncaf\xe9,2\n",
            {"option": "--encoding "},
            "line 3: expected UTF-8, found byte 0xe9; another encoding: --encoding cp1252",
        ),
        (b"prompt,n\nok,1\ncaf\xe9,2\n", {}, "line 3: expected UTF-8, found byte 0xe9"),
        (b"a\n" * 100_000 + b"\xff\n", {}, "line 100001: expected UTF-8, found byte 0xff"),
        (
            b"prompt,n\n\x81,2\n",
            {"encoding": "cp1252", "option": "benchmark.encoding="},
            "line 2: expected CP1252, found byte 0x81; another encoding: benchmark.encoding=utf-8",
        ),
        (
            "prompt,n\nplain,1\n".encode("utf-16-le"),
            {"option": "--encoding "},
            "expected UTF-8 or --encoding utf-16-le, found what looks like UTF-16 without a byte order mark",
        ),
        (
            "prompt,n\nplain,1\n".encode("utf-16-be"),
            {},
            "expected UTF-8, found what looks like UTF-16 without a byte order mark",
        ),
        (b"\xff\xfep\x00x", {}, "line 1: expected UTF-16, found byte 0x78"),
        (
            b"PK\x03\x04rest",
            {},
            "expected text, found a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
        ),
        (b"", {}, "expected a header line and rows, found an empty file"),
        (b"\xef\xbb\xbf\n\n", {}, "expected a header line and rows, found an empty file"),
        (b"prompt,n\n", {}, "expected at least one row, found none"),
        (b"prompt,n\n,\n\n \n", {}, "expected at least one row, found none"),
        (b"prompt,n\na,1\n\nb\n", {}, "row 3: expected 2 cells as in the header, found 1"),
        (
            b'prompt,n\na,1\n"b,2\nc,3\n',
            {},
            "row 2: expected CSV with both quotes, found a cell whose opening quote is never closed",
        ),
        (
            b'prompt,n\na,1\n"say \\"hi\\"",2\n',
            {},
            "row 2: expected CSV in which a quote inside a quoted cell is doubled, found a single one (','",
        ),
        (b'prompt,"n\na,1\n', {}, "header: expected CSV with both quotes, found a cell"),
        (b"n,prompt,n\na,1,2\n", {}, "header: expected 'n' once, found it 2 times"),
    ],
)
def test_bad_csv_is_said_in_one_line(tmp_path, content, options, message):
    file = tmp_path / "q.csv"
    for packed in (False, True):
        file.write_bytes(gzip.compress(content) if packed else content)
        with pytest.raises(UserError) as caught:
            rows_of(file, **options)
        assert message in str(caught.value)
        assert str(caught.value).startswith(f"{file}: ")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"prompt": "p"\n', "row 1: expected one object per line, found no JSON"),
        ('{"prompt": "p"}\n\n{"prompt": "q", }\n', "row 3: expected one object per line, found no JSON"),
        ('{"prompt": "p"}\n3\n', "row 2: expected a JSON object, found int"),
        (
            '{"prompt": "p"}, {"prompt": "q"}\n',
            "row 1: expected one object per line, found no JSON (Extra data",
        ),
        (
            '{"prompt": "p", "prompt": "q"}\n',
            "row 1: expected one object per line, found no JSON (key 'prompt' 2 times)",
        ),
        ('[{"prompt": "p"}, "q"]', "row 2: expected a JSON object, found str"),
        (
            '[{"prompt": "p"}',
            "expected an array of objects, found no JSON (Expecting ',' delimiter: line 1 column 17 (char 16))",
        ),
        ('{\n "prompt": "p"\n}\n', "row 1: expected one object per line, found no JSON"),
        ("[" * 100_000, "expected an array of objects, found no JSON (nested too deeply)"),
        (
            '{"a": ' + "[" * 100_000 + "}",
            "row 1: expected one object per line, found no JSON (nested too deeply)",
        ),
        ("", "expected at least one row, found none"),
        ("[]", "expected at least one row, found none"),
        ("\n \n", "expected at least one row, found none"),
    ],
)
def test_bad_json_is_said_in_one_line(tmp_path, content, message):
    for name in ("q.jsonl", "q.json"):
        (tmp_path / name).write_text(content)
        with pytest.raises(UserError) as caught:
            rows_of(tmp_path / name)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_damaged_gzip_and_parquet(tmp_path, written):
    whole = gzip.compress(b"prompt,n\n" + b"".join(b"question %d,1\n" % row for row in range(20_000)))
    for damaged in (whole[:-1000], whole[:100] + b"\xff" * 100 + whole[200:], whole[:5]):
        (tmp_path / "q.csv.gz").write_bytes(damaged)
        with pytest.raises(
            UserError,
            match=r"q\.csv\.gz: expected a whole gzip file, found a damaged one \(.*\); pack or copy",
        ):
            rows_of(tmp_path / "q.csv.gz")
    (tmp_path / "q.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(
        UserError,
        match=r"q\.parquet: expected a whole Parquet file, found a damaged one \(.*\); write or copy",
    ):
        rows_of(tmp_path / "q.parquet")


def test_gzipped_whatever_its_name(tmp_path):
    (tmp_path / "q.csv").write_bytes(gzip.compress(b"prompt,n\na,1\n"))
    (tmp_path / "r.csv.gz").write_bytes(b"prompt,n\na,1\n")
    assert rows_of(tmp_path / "q.csv") == rows_of(tmp_path / "r.csv.gz") == [(1, {"prompt": "a", "n": "1"})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prompt;n\nHello, you;0,5\n", {"prompt": "Hello, you", "n": "0,5"}),
        ("sep=;\r\nprompt;n\r\na;1\r\n", {"prompt": "a", "n": "1"}),
        ("prompt\tn\na\t1\n", {"prompt": "a", "n": "1"}),
        ("prompt,n;m\na,1\n", {"prompt": "a", "n;m": "1"}),
        ('prompt,"n;m;o"\na,1\n', {"prompt": "a", "n;m;o": "1"}),
        ('prompt;"n, or m"\na;1\n', {"prompt": "a", "n, or m": "1"}),
        ("\n\nprompt,n\ra,1\r", {"prompt": "a", "n": "1"}),
        ("prompt,n,,\na,1,,\n,,,\n", {"prompt": "a", "n": "1"}),
        ("prompt\nno comma here\n", {"prompt": "no comma here"}),
    ],
)
def test_dialects(tmp_path, text, expected):
    file = tmp_path / "q.csv"
    file.write_bytes(text.encode())
    assert [record for _, record in rows_of(file)] == [expected]


def test_rows_are_numbered_as_an_editor_numbers_them(tmp_path):
    (tmp_path / "q.csv").write_text("prompt,n\n\na,1\n , \n,\nb,2\n\n")
    (tmp_path / "q.jsonl").write_text('\n{"prompt": "a"}\n\n\n{"prompt": "b"}\n')
    assert [row for row, _ in rows_of(tmp_path / "q.csv")] == [2, 5]
    assert [row for row, _ in rows_of(tmp_path / "q.jsonl")] == [2, 5]


def test_byte_order_marks_at_the_start_of_lines(tmp_path):
    line = "\ufeff" + json.dumps({"prompt": "a"})
    (tmp_path / "q.jsonl").write_text(f"\ufeff{line}\n{line}\n", "utf-8")
    assert [record for _, record in rows_of(tmp_path / "q.jsonl")] == [{"prompt": "a"}] * 2
    (tmp_path / "q.csv").write_text("\ufeff\ufeffprompt,n\na,1\n", "utf-8")
    assert rows_of(tmp_path / "q.csv") == [(1, {"prompt": "a", "n": "1"})]


def test_long_field(tmp_path):
    text = "x" * 3_000_000
    (tmp_path / "q.csv").write_text(f"prompt,n\n{text},1\n")
    assert rows_of(tmp_path / "q.csv")[0][1]["prompt"] == text


def test_keys_that_only_some_rows_have(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"a": 0}\n{"b": false, "a": ""}\n')
    assert rows_of(tmp_path / "q.jsonl") == [(1, {"a": 0, "b": None}), (2, {"a": "", "b": False})]


def test_which_files_of_a_folder_are_read(tmp_path):
    for name in ("b.csv.gz", "A.TSV", "sub/c.ndjson", "d.json", "e.pq"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in (".DS_Store", ".git/x.csv", "__MACOSX/._a.csv", "notes.md", "sheet.xlsx", "noname"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("out/queries.parquet", "out/outcomes.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_files(tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in found.files] == [
        "A.TSV", "b.csv.gz", "d.json", "e.pq", "sub/c.ndjson",
    ]  # fmt: skip
    left_out = {
        reason.rpartition(", ")[2]: [file.name for file in files] for reason, files in found.left_out.items()
    }
    assert left_out == {
        "found .md": ["notes.md"],
        "found no suffix": ["noname"],
        "which an import wrote": ["outcomes.parquet", "queries.parquet"],
        "found .xlsx": ["sheet.xlsx"],
    }
    assert suffix_of(tmp_path / "Log.CSV.GZ") == ".csv"
    with pytest.raises(NoRecordsError, match=r"notes.md: expected one of .csv, .tsv.*, found .md"):
        rows_of(tmp_path / "notes.md")
