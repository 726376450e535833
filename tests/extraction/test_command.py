"""The command line, from a pool's folder to a cache."""

import numpy as np
import pandas as pd
import pytest

from prefillroute.caches.reader import ActivationCache
from prefillroute.cli.main import main


@pytest.fixture
def arguments(toy_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pool"
    folder.mkdir()
    ids = [f"q{i}" for i in range(6)]
    prompts = [f"What is {i} + {i}?" for i in range(6)]
    queries = {"query_id": ids, "benchmark": "sums", "category": "easy", "prompt": prompts}
    pd.DataFrame(queries).to_parquet(folder / "queries.parquet", index=False)
    rows = [(query, target, float(i % 2)) for i, query in enumerate(ids) for target in ("a", "b")]
    pd.DataFrame(rows, columns=["query_id", "target", "correct"]).to_parquet(
        folder / "outcomes.parquet", index=False
    )
    return [
        "extract",
        "encoder=smollm2_135m_hub",
        f"encoder.repo={toy_folder('llama')}",
        "encoder.num_layers=4",
        "encoder.hidden_size=32",
        f"pool.outcomes={folder}",
        "pool.targets=[{name: a},{name: b}]",
        f"paths.caches={tmp_path / 'caches'}",
        "extraction.device=cpu",
    ]


def test_extract_twice(arguments, tmp_path, capsys):
    assert main(arguments) == 0
    assert "6 queries, 6 rows new, 0 reused" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "6 queries, 0 rows new, 6 reused" in capsys.readouterr().out
    values = (
        ActivationCache(tmp_path / "caches" / "smollm2_135m_hub-chat.h5").select(["q3", "q1"]).read(4, "mean")
    )
    assert values.shape == (2, 32)
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("request.layers=[9]", "request.layers: expected layer ids from 0 to 4, found [9]"),
        (
            "request.poolings=[max]",
            "request.poolings: expected some of ['last', 'mean'], found ['max']",
        ),
        (
            "request.max_length=10",
            "request.max_length: expected more than the",
        ),
        ("encoder.repo=/nowhere/at/all", "encoder.repo=/nowhere/at/all: expected a local folder"),
    ],
)
def test_mistakes_are_one_line(arguments, capsys, monkeypatch, override, message):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main([*arguments, override]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
