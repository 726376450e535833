"""SPROUT: one struct column per model, in Parquet."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prefillroute.errors import UserError


def struct(score: float | None, sent: int | None = 5, received: int | None = 7) -> dict:
    return {"score": score, "num_input_tokens": sent, "num_output_tokens": received, "response": "long " * 9}


def write(file, prompts: list[str], **models: list) -> None:
    columns = {"key": [1] * len(prompts), "dataset": ["math"] * len(prompts), "prompt": prompts}
    pq.write_table(
        pa.table(columns | {name.replace("_", "-"): cells for name, cells in models.items()}), file
    )


def test_structs_of_several_files(tmp_path, imported, cells):
    write(
        tmp_path / "train-00000-of-00002.parquet",
        ["p", "q"],
        openai_gpt_4o=[struct(1.0), struct(0.25, received=None)],
        wxai_llama=[struct(0.5, sent=6), None],
    )
    write(
        tmp_path / "train-00001-of-00002.parquet",
        ["r"],
        openai_gpt_4o=[struct(None)],
        wxai_llama=[struct(1.0)],
    )
    write(
        tmp_path / "validation-00000-of-00001.parquet",
        ["s"],
        openai_gpt_4o=[struct(0.0)],
        wxai_llama=[struct(2.0)],
    )
    collector, queries, outcomes = imported("sprout", tmp_path)
    ids = dict(zip(queries["prompt"], queries["query_id"], strict=True))
    assert cells(outcomes) == {
        (ids["p"], "openai-gpt-4o"): 1.0,
        (ids["q"], "openai-gpt-4o"): 0.25,
        (ids["p"], "wxai-llama"): 0.5,
        (ids["r"], "wxai-llama"): 1.0,
        (ids["s"], "openai-gpt-4o"): 0.0,
    }
    assert cells(outcomes, "prompt_tokens")[ids["p"], "wxai-llama"] == 6
    assert np.isnan(cells(outcomes, "completion_tokens")[ids["q"], "openai-gpt-4o"])
    parts = {"p": "train", "q": "train", "r": "train", "s": "calibration"}
    assert dict(zip(queries["prompt"], queries["split"], strict=True)) == parts
    assert set(queries["benchmark"]) == {"math"}
    assert "cost_usd" not in outcomes
    counts = {reason: entry.count for reason, entry in collector.skipped.items()}
    assert counts == {"record without a score": 2, "a score of column wxai-llama.score that is none": 1}


def test_text_of_answers_is_not_read(tmp_path, imported, monkeypatch):
    write(tmp_path / "test-00000-of-00001.parquet", ["p"], a=[struct(1.0)])
    asked: list[list[str]] = []
    whole = pq.ParquetFile.iter_batches

    def recorded(self, *arguments, columns=None, **options):
        asked.append(columns)
        return whole(self, *arguments, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", recorded)
    imported("sprout", tmp_path)
    assert [sorted(columns) for columns in asked] == [
        ["a.num_input_tokens", "a.num_output_tokens", "a.score", "dataset", "prompt"]
    ]


def test_bad_files(tmp_path, imported):
    file = tmp_path / "test.parquet"
    pd.DataFrame({"prompt": ["p"], "gpt-4o": [1.0]}).to_parquet(file)
    with pytest.raises(
        UserError,
        match=r"test\.parquet: expected a column '\{model\}\.score' of some model, found the columns prompt, gpt-4o$",
    ):
        imported("sprout", tmp_path)
    write(file, ["p"], a=[struct(1.0)])
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"test\.parquet: expected a whole Parquet file, found a damaged one"):
        imported("sprout", tmp_path)
