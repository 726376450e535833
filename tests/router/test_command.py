"""`prefillroute route`, through the command line's own entry point."""

import json

import pandas as pd
import pytest

from prefillroute.cli.main import main


@pytest.fixture
def route(bundle, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["route", "--router", str(bundle), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_one_query_as_a_table_and_as_json(route):
    status, out, _ = route("add 1 and 2", "--lambda", "1")
    assert status == 0
    assert out.startswith("small (endpoint vendor/small) by lambda=1")
    status, out, _ = route("add 1 and 2", "--policy", "budget", "--budget", "1", "--json")
    decision = json.loads(out)
    assert decision["policy"] == "budget=1"
    assert decision["target"] == max(decision["confidence"], key=decision["confidence"].get)
    assert decision["encoder_tokens"] == len("add 1 and 2") + 3


def test_a_file_of_queries_to_parquet_and_jsonl(route, tmp_path):
    (tmp_path / "q.txt").write_text("add 1 and 2\nspell it\n" + "long " * 60 + "\n")
    for name in ("d.parquet", "d.jsonl"):
        status, out, err = route("--file", str(tmp_path / "q.txt"), "--out", str(tmp_path / name))
        assert status == 0, err
        assert "the query was longer than the encoder's context" in " ".join(out.split())
    frame = pd.read_parquet(tmp_path / "d.parquet")
    lines = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert frame["target"].tolist() == [line["target"] for line in lines]
    assert frame["truncated"].tolist() == [False, False, True]
    assert frame["query_id"].tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--lambda", "2"], "--lambda: expected a number in [0, 1], found 2.0"),
        (["x", "--policy", "best"], "invalid choice: 'best' (choose from"),
        (["x", "--policy", "budget"], "policy 'budget': expected --budget"),
        (
            ["x", "--lambda", "0", "--budget", "1"],
            "policy 'budget': expected one policy and its own option, found --lambda",
        ),
        (["x", "--targets", "small,huge"], "some of the router's small, medium, large, found 'huge'"),
        ([""], "found an empty prompt"),
        ([], "expected either a query or --file, found neither"),
        (["x", "--file", "q.txt"], "expected either a query or --file, found both"),
        (["--file", "q.txt"], "--file: expected --out"),
        (["--file", "none.txt", "--out", "d.jsonl"], "none.txt: expected a file of queries"),
    ],
)
def test_mistakes_are_one_line_and_status_1(route, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = route(*arguments)
    assert (status, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
