"""R2-Bench: a file per model and budget of tokens; each budget is a target."""

import pandas as pd
import pytest

from prefillroute.errors import UserError

HEADER = "key,prompts_id,original_prompt,response,actual_token_count,correctness_score\n"


def test_targets_are_models_at_budgets(tmp_path, imported, cells):
    folder = tmp_path / "data" / "Qwen" / "Qwen3-0.6B"
    folder.mkdir(parents=True)
    (folder / "100_judge.csv").write_text(f'{HEADER}k1,1,"One\ntwo?",long,90,0.25\nk2,2,Why?,x,80,1.0\n')
    (folder / "512_judge.csv").write_text(f"{HEADER}k1,1,Onetwo?,long,400,1\nk1,1,Onetwo?,long,300,0.5\n")
    (folder / "512.csv").write_text("key\nk1\n")  # answers that were not judged
    (folder / "700_judge.csv").write_text("key,original_prompt\nk1,p\n")
    collector, queries, outcomes = imported("r2-bench", tmp_path)
    assert cells(outcomes) == {
        ("k1", "Qwen3-0.6B@100"): 0.25,
        ("k2", "Qwen3-0.6B@100"): 1.0,
        ("k1", "Qwen3-0.6B@512"): 0.75,
    }
    assert cells(outcomes, "completion_tokens")["k1", "Qwen3-0.6B@512"] == 350
    assert len(queries) == 2  # some of the owners' files lack line breaks
    (damaged,) = collector.skipped.values()
    assert damaged.example.startswith(
        f"{folder}/700_judge.csv: expected a column 'correctness_score' or 'score', found"
    )


def test_one_table(tmp_path, imported, cells):
    rows = [("q1", "m", 512, 1.0), ("q1", "m", 64, 0.0), ("q2", "m", 64, None), ("q2", "m", None, 1.0)]
    table = pd.DataFrame(rows, columns=["query", "model", "budget", "score"])
    table.to_parquet(tmp_path / "r2.parquet")
    collector, queries, outcomes = imported("r2-bench", tmp_path)
    ids = dict(zip(queries["prompt"], queries["query_id"], strict=True))
    assert cells(outcomes) == {(ids["q1"], "m@512"): 1.0, (ids["q1"], "m@64"): 0.0}
    counts = {reason: entry.count for reason, entry in collector.skipped.items()}
    assert counts == {"record without a score": 1, "record without a target": 1}


def test_the_only_file_is_damaged(tmp_path, imported):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "10_judge.csv").write_text("key\nk1\n")
    with pytest.raises(
        UserError,
        match=r"m/10_judge\.csv: expected a column 'original_prompt' or 'query' or 'prompt', found the columns key$",
    ):
        imported("r2-bench", tmp_path)
