"""From a real served model to a router: collect, import Inspect's logs of it, extract, train, route."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.starter_pool.questions import make_questions
from prefillroute.cli.main import main

pytestmark = [pytest.mark.smollm2, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = 24


def test_collected_imported_and_trained_on(
    proxy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "questions.jsonl"
    rows = make_questions(QUESTIONS, seed=1)[["query_id", "category", "prompt", "answer"]].to_dict("records")
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("SMOLLM2_BASE_URL", proxy.url)
    out = tmp_path / "collected"
    # Without the worked examples: four hundred tokens a question are minutes here.
    pool = [
        "pool=starter", "pool.exclude=[gemma3-270m-direct,gemma3-270m-steps]",
        "pool.targets.0.messages=[]", "pool.targets.2.messages=[]",
    ]  # fmt: skip
    words = [
        "benchmark=file",
        f"benchmark.path={questions}",
        "benchmark.name=starter",
        "limits.connections=4",
    ]
    assert main(["collect", *pool, *words, f"out={out}"]) == 0
    collected = pd.read_parquet(out / "outcomes.parquet").sort_values(["target", "query_id"])
    assert len(collected) == 2 * QUESTIONS

    # Inspect's own logs say the same, and so does the import that reads anybody's.
    assert (
        main(["import", "inspect", str(out / "collect" / "logs"), "--out", str(tmp_path / "imported")]) == 0
    )
    imported = pd.read_parquet(tmp_path / "imported" / "outcomes.parquet")
    imported["query_id"] = imported["query_id"].str.removeprefix("starter/")
    imported = imported.sort_values(["target", "query_id"])
    for column in ("query_id", "target", "correct", "prompt_tokens", "completion_tokens", "ttft_s"):
        assert imported[column].tolist() == pytest.approx(collected[column].tolist()), column

    paths = [f"paths.caches={tmp_path / 'caches'}", f"pool.outcomes={out}"]
    assert main(["extract", *pool, *paths, "request.layers=[15,30]"]) == 0
    run = tmp_path / "run"
    small = [
        "layers=final", "trainer.num_members=2", "trainer.num_kept=1", "trainer.max_epochs=5", "num_folds=2",
        "evaluation.num_resamples=10", "trainer.progress_bar=false", "report=false",
    ]  # fmt: skip
    command = [sys.executable, "train.py", *pool, *paths, *small, f"hydra.run.dir={run}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    test = json.loads((run / "metrics.json").read_text())["test"]
    assert 0 <= test["best_single_accuracy"] <= test["oracle_accuracy"] <= 1
    assert set(pd.read_parquet(run / "predictions.parquet")["target"]) == set(collected["target"])
    capsys.readouterr()
    assert main(["route", "--router", str(run / "router"), rows[0]["prompt"]]) == 0
    assert "smollm2-135m" in capsys.readouterr().out
