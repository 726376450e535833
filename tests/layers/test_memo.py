"""A layer choice is made once for the same data, and made anew for any other."""

from pathlib import Path

import numpy as np
import pandas as pd
from prefillroute.training.layer_memo import memo_key, remembered_choice

from prefillroute.layers.choice import Block, LayerChoice


def some_choice() -> LayerChoice:
    table = pd.DataFrame({"encoder": ["e"], "layer": [3], "pooling": ["last"], "dim": [50], "target": ["x"]})
    return LayerChoice((Block("e", (3,), "last", 50),), {"x": 0}, table, notes=("a note",))


def test_second_call_reads_what_the_first_one_chose(tmp_path: Path) -> None:
    calls: list[int] = []

    def choose() -> LayerChoice:
        calls.append(1)
        return some_choice()

    first = remembered_choice(tmp_path / "memo", "key", choose)
    second = remembered_choice(tmp_path / "memo", "key", choose)
    assert len(calls) == 1
    assert second == first
    pd.testing.assert_frame_equal(second.table, first.table, check_dtype=False)


def test_damaged_memo_is_made_anew(tmp_path: Path) -> None:
    remembered_choice(tmp_path, "key", some_choice)
    for damaged in ("key.json", "key.parquet"):
        (tmp_path / damaged).write_bytes(b"half a fi")
        assert remembered_choice(tmp_path, "key", some_choice) == some_choice()


def test_key_depends_on_facts_labels_and_folds() -> None:
    labels, folds = np.array([[1.0, np.nan]]), np.array([0])
    keys = {
        memo_key({"seed": 0}, labels, folds),
        memo_key({"seed": 1}, labels, folds),
        memo_key({"seed": 0}, 1 - labels, folds),
        memo_key({"seed": 0}, labels, folds + 1),
    }
    assert len(keys) == 4
    assert memo_key({"seed": 0}, labels.copy(), folds.copy()) in keys
