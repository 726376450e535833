import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from prefillroute.cli.main import run_command
from prefillroute.config.facts import PoolConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes


def call(*arguments: object) -> int:
    return run_command([str(argument) for argument in arguments])


def write_log(file: Path, num_queries: int = 20) -> Path:
    rows = [
        {
            "prompt": f"question {i}",
            "target": target,
            "correct": float((i + j) % 3 > 0),
            "cost_usd": 0.01 * (j + 1),
        }
        for i in range(num_queries)
        for j, target in enumerate(("m0", "m1"))
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_import_a_log(tmp_path, capsys):
    out = tmp_path / "data" / "mine"
    assert call("import", "csv", write_log(tmp_path / "log.jsonl"), "--out", out) == 0
    printed = capsys.readouterr().out
    assert "20 queries, 2 targets, 40 outcomes; 20 queries have every target's" in printed
    assert read_outcomes(out).correct.shape == (20, 2)
    form = OmegaConf.merge(OmegaConf.structured(PoolConfig), OmegaConf.load(out / "pool.yaml"))
    assert [target.name for target in form.targets] == ["m0", "m1"]


def test_renamed_columns(tmp_path):
    (tmp_path / "log.csv").write_text("question,target,right\na,m0,1\na,m1,0\n")
    columns = ["--column", "prompt=question", "--column", "correct=right"]
    assert call("import", "csv", tmp_path / "log.csv", "--out", tmp_path / "out", *columns) == 0
    with pytest.raises(
        UserError,
        match=r"--column: expected OURS=THEIRS with OURS one of prompt, target.*, found prom=question",
    ):
        call("import", "csv", tmp_path / "log.csv", "--out", tmp_path / "out", "--column", "prom=question")


def test_skipped_records_are_printed(tmp_path, capsys):
    file = tmp_path / "bench" / "aime" / "hybrid" / "gpt-5" / "aime-hybrid-gpt-5-20250901_120000.json"
    file.parent.mkdir(parents=True)
    records = [
        {"index": 1, "origin_query": "q", "score": 1},
        {"index": 2, "origin_query": "r", "score": None},
    ]
    file.write_text(json.dumps({"records": records}))
    assert call("import", "llmrouterbench", tmp_path, "--out", tmp_path / "out") == 0
    assert "skipped 1: no score; first:" in capsys.readouterr().out


def test_failed_import_keeps_what_was_there(tmp_path):
    out = tmp_path / "out"
    call("import", "csv", write_log(tmp_path / "log.jsonl"), "--out", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (tmp_path / "bad.csv").write_text("prompt,target,correct\na,m0,2\n")
    with pytest.raises(UserError, match=r"bad.csv: row 1: correct: expected .*, found 2"):
        call("import", "csv", tmp_path / "bad.csv", "--out", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_wrong_arguments(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: expected your own log.*, found no such file or folder"):
        call("import", "csv", tmp_path / "nowhere", "--out", tmp_path / "out")
    with pytest.raises(UserError, match=r"invalid choice: 'parquet' \(choose from 'csv'"):
        call("import", "parquet", tmp_path)
    (tmp_path / "model_outputs_x_5shots.zip").write_bytes(b"no")
    with pytest.raises(
        UserError,
        match=r"found none that could be read \(not a whole zip file: 1, the first: .*x_5shots\.zip\)",
    ):
        call("import", "mmlu-pro", tmp_path, "--out", tmp_path / "out")


def test_pool_show_without_data_says_the_command(tmp_path):
    with pytest.raises(UserError, match=r"found no such file; make it with: .*prefillroute import mmlu-pro"):
        call("pool", "show", "mmlu_pro", f"paths.data={tmp_path}")
    with pytest.raises(UserError, match=r"mmlu_pro_six"):
        call("pool", "show", "mmlu_prox")


@pytest.mark.shared_data
def test_pool_show(capsys, real_data):
    assert call("pool", "show", "mmlu_pro_six", f"paths.data={real_data('mmlu_pro').parent}") == 0
    printed = capsys.readouterr().out
    assert "10,749 with all outcomes" in printed
    assert "best single  0.7444  gpt-4o-2024-05-13" in printed
    assert "oracle       0.8903" in printed
    assert "OpenAI list, 2024-05-13, unverified" in printed


@pytest.mark.shared_data
def test_pool_show_prints_front_hull_and_estimates(capsys, real_data, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert call("pool", "show", "mmlu_pro_all", f"paths.data={real_data('mmlu_pro').parent}") == 0
    printed = capsys.readouterr().out
    assert "Pareto front 3 of 33 targets; 30 are dominated" in printed
    assert "static hull  2 corners" in printed
    corners = ("gemini-1.5-flash-002", "gemini-3.1-pro-preview")
    rows = [
        line.split()
        for line in printed.splitlines()
        if line.split()[-1:] in (["hull"], ["Pareto"], ["dominated"])
    ]
    stands = {row[0]: row[-1] for row in rows}
    assert len(stands) == 33
    assert {name for name, word in stands.items() if word == "hull"} == set(corners)
    assert [name for name, word in stands.items() if word == "Pareto"] == ["gemini-1.5-pro-002"]
    assert "0.6417  gemini-1.5-flash-002, 0.1177 USD per 1,000 queries" in printed
    assert "100.0% of the counts are estimated (354,717 of 354,717 outcomes): characters / 4" in printed


def test_pool_show_of_reported_tokens_says_nothing_of_estimates(capsys):
    assert call("pool", "show", "starter") == 0
    printed = capsys.readouterr().out
    assert "Pareto front" in printed
    assert "estimated" not in printed
