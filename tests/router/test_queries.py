import gzip
import json

import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.router.queries import Query, check_prompt, read_queries


def test_text_jsonl_and_parquet_say_the_same(tmp_path):
    prompts = ["2 + 2?", "Ünïcode 語 \u2028 line separator", "  padded "]
    (tmp_path / "q.txt").write_text("\n".join(prompts) + "\n", "utf-8")
    lines = [json.dumps({"prompt": prompt, "query_id": f"id{i}"}) for i, prompt in enumerate(prompts)]
    (tmp_path / "q.jsonl").write_text("\n".join(lines), "utf-8")
    pd.DataFrame({"prompt": prompts, "query_id": ["id0", "id1", "id2"], "other": 1}).to_parquet(
        tmp_path / "q.parquet"
    )
    read = {suffix: read_queries(tmp_path / f"q.{suffix}") for suffix in ("txt", "jsonl", "parquet")}
    assert all([query.prompt for query in queries] == prompts for queries in read.values())
    assert [query.query_id for query in read["txt"]] == ["0", "1", "2"]
    assert read["jsonl"] == read["parquet"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.txt", b"one\n\xff\xfe\n", "line 2: expected UTF-8, found byte 0xff"),
        ("q.txt", b"", "q.txt: expected at least one query, found none"),
        ("q.txt", b"\n \n", "q.txt: expected at least one query, found none"),
        ("q.doc", b"prompt\nx\n", "q.doc: expected one of .csv, .tsv"),
        ("q.csv", b"prompt,n\nx,1\n ,2\n", "q.csv: row 2: expected at least one character"),
        ("q.jsonl", b'{"prompt": "x"}\n{"prompt"\n', "row 2: expected one object per line, found no JSON"),
        ("q.jsonl", b'{"text": "x"}\n', "expected a column 'prompt', found text"),
        ("q.jsonl", b'{"prompt": ["x"]}\n', "row 1: prompt: expected text, found a list (['x'])"),
        (
            "q.jsonl",
            b'{"prompt": "a", "query_id": 1}\n{"prompt": "b", "query_id": 1}\n',
            "row 2: expected one prompt for query_id '1', found a second one",
        ),
        (
            "q.jsonl",
            b'{"prompt": "\\ud800"}\n',
            "row 1: prompt: expected whole characters, found half of one (U+D800 at character 1",
        ),
        ("q.parquet", b"PAR1 cut", "expected a whole Parquet file, found a damaged one"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_queries(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.txt", "What is 2+2?\nhi\n"),
        ("bom.txt", "\ufeffWhat is 2+2?\r\n\r\n\ufeffhi"),
        ("q.csv", "Prompt,n\nWhat is 2+2?,1\n,\nhi,2\n"),
        ("q.tsv", "n\tprompt\n1\tWhat is 2+2?\n1\thi\n"),
        ("bom.JSONL", '\ufeff{"prompt":"What is 2+2?"}\n\n{"prompt":"hi"}\n'),
        ("nullid.ndjson", '{"prompt":"What is 2+2?","query_id":null}\n{"prompt":"hi","query_id":""}\n'),
        ("q.json", '[{"prompt":"What is 2+2?"}, {"prompt":"hi"}]'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_table_that_import_takes(tmp_path, name, content, encoding, packed):
    file = tmp_path / (f"{name}.gz" if packed else name)
    data = content.encode(encoding)
    file.write_bytes(gzip.compress(data) if packed else data)
    assert read_queries(file) == [Query("0", "What is 2+2?"), Query("1", "hi")]


def test_encoding_by_name(tmp_path):
    (tmp_path / "q.txt").write_bytes("Käse?\n".encode("cp1252"))
    assert read_queries(tmp_path / "q.txt", "cp1252") == [Query("0", "Käse?")]
    with pytest.raises(
        UserError, match=r"line 1: expected UTF-8, found byte 0xe4; another encoding: --encoding cp1252"
    ):
        read_queries(tmp_path / "q.txt")
    with pytest.raises(
        UserError, match=r"^--encoding: expected an encoding, for instance utf-8.*, found hex"
    ):
        read_queries(tmp_path / "q.txt", "hex")


def test_ids_given_and_missing(tmp_path, caplog):
    rows = [
        {"prompt": "a"},
        {"prompt": "b", "query_id": 0},
        {"prompt": 0, "query_id": 1.0},
        {"prompt": "b", "query_id": 0},
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read_queries(tmp_path / "q.jsonl") == [Query("row 0", "a"), Query("0", "b"), Query("1", "0")]
    assert "1 rows repeat the query_id and prompt of another" in caplog.text


def test_parquet_without_prompt_column_and_missing_file(tmp_path):
    pd.DataFrame({"text": ["x"]}).to_parquet(tmp_path / "q.parquet")
    with pytest.raises(UserError, match="expected a column 'prompt', found text"):
        read_queries(tmp_path / "q.parquet")
    with pytest.raises(UserError, match="found no such file"):
        read_queries(tmp_path / "none.txt")


def test_bytes_of_the_command_line_that_are_not_utf8_are_refused():
    argument = b"caf\xe9".decode("utf-8", "surrogateescape")
    with pytest.raises(UserError, match="query: expected UTF-8 text, found something else at character 3"):
        check_prompt(argument, "query")
