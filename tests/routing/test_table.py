"""The confidence table: round trip through predictions.parquet, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.routing.table import COLUMNS, ConfidenceTable


def queries_of(table: ConfidenceTable) -> pd.DataFrame:
    return pd.DataFrame({"query_id": table.query_id, "benchmark": table.benchmark})


def test_round_trip_through_parquet(make_table, tmp_path: Path) -> None:
    table = make_table(num_train=20, num_calibration=5, num_test=10, missing=0.2)
    table.to_frame().to_parquet(tmp_path / "predictions.parquet")
    frame = pd.read_parquet(tmp_path / "predictions.parquet")
    assert tuple(frame.columns) == COLUMNS
    assert frame["correct"].isna().sum() == np.isnan(table.correct).sum()
    back = ConfidenceTable.from_frame(frame, queries_of(table))
    assert back.targets == table.targets
    for name in ("query_id", "split", "benchmark", "confidence", "cost_usd", "realised_cost_usd", "correct"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))


def test_rows_may_come_in_any_order(make_table) -> None:
    table = make_table(num_train=5, num_test=5)
    frame = table.to_frame()
    mixed = pd.concat([frame.iloc[:5], frame.iloc[5:].sample(frac=1, random_state=0)])
    back = ConfidenceTable.from_frame(mixed, queries_of(table))
    place = pd.Index(back.query_id).get_indexer(table.query_id)
    np.testing.assert_array_equal(back.confidence[place], table.confidence)


def test_half_right_counts_as_right_unless_the_pool_says_otherwise(make_table) -> None:
    table = make_table(num_train=2, num_test=2)
    correct = np.full_like(table.correct, 0.5)
    correct[0, 0] = 0.49
    values = (table.query_id, table.split, table.benchmark, table.targets, table.confidence, table.cost_usd)
    plain = ConfidenceTable(*values, table.realised_cost_usd, correct)
    assert plain.labels[0, 0] == 0.0
    assert (plain.labels.ravel()[1:] == 1.0).all()
    assert (replace(plain, correct_threshold=0.6).labels == 0.0).all()


def test_parts_and_consensus(make_table) -> None:
    table = make_table(num_train=3, num_test=4, num_targets=2)
    table = replace(
        table, correct=np.array([[1, 1], [0, 0], [1, 0], [1, 0.4], [np.nan, 1], [0.5, 0.6], [0, 1]])
    )
    assert len(table.part("test")) == 4
    assert table.complete.tolist() == [True, True, True, True, False, True, True]
    assert table.disagreement.tolist() == [False, False, True, True, False, False, True]
    assert table.labels[3].tolist() == [1.0, 0.0]


def changed(table: ConfidenceTable, name: str, value: float) -> ConfidenceTable:
    values = getattr(table, name).copy()
    values[2, 1] = value
    return replace(table, **{name: values})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", np.nan),
        ("confidence", 1.01),
        ("confidence", -0.01),
        ("cost_usd", np.nan),
        ("cost_usd", np.inf),
        ("cost_usd", -1e-9),
        ("correct", 1.5),
        ("correct", -0.5),
    ],
)
def test_refuses_a_value_naming_query_and_target(make_table, name: str, value: float) -> None:
    with pytest.raises(
        UserError, match=rf"{name} of query 'q00002', target 'target-1': expected .*, found {value}"
    ):
        changed(make_table(num_train=0, num_test=5), name, value)


def test_training_rows_need_no_confidence_beside_a_calibration_part(make_table) -> None:
    table = make_table(num_train=4, num_calibration=3, num_test=3)
    confidence = table.confidence.copy()
    confidence[:4] = np.nan
    assert len(replace(table, confidence=confidence)) == 10
    confidence[:4, 1:] = 0.5  # half predicted is a mistake
    with pytest.raises(
        UserError, match=r"confidence of query 'q00000', target 'target-0': expected .*, found nan"
    ):
        replace(table, confidence=confidence)
    confidence[:4], confidence[5] = np.nan, np.nan  # a calibration row
    with pytest.raises(UserError, match=r"query 'q00005', target 'target-0': expected .*, found nan"):
        replace(table, confidence=confidence)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"split": np.array(["test", "train"], dtype=object)},
            "split: expected one of train_oof.*, found 'train'",
        ),
        ({"query_id": np.array(["a", "a"], dtype=object)}, "query_id: expected each value once, found 'a'"),
        ({"targets": ("m", "m")}, "target: expected each value once, found 'm'"),
        ({"cost_usd": np.ones((2, 3))}, r"cost_usd: expected shape \(2, 2\), .*, found \(2, 3\)"),
    ],
)
def test_refuses_a_shape_or_a_name(make_table, changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(make_table(num_train=0, num_test=2, num_targets=2), **changes)


def test_refuses_predictions_with_holes(make_table) -> None:
    table = make_table(num_train=0, num_test=3, num_targets=2)
    frame, queries = table.to_frame(), queries_of(table)
    with pytest.raises(UserError, match="found no 'confidence'"):
        ConfidenceTable.from_frame(frame.drop(columns="confidence"), queries)
    with pytest.raises(UserError, match="query 'q00001', target 'target-1': expected 1 row, found 0"):
        ConfidenceTable.from_frame(frame.drop(index=3), queries)
    with pytest.raises(UserError, match="expected 1 row, found 2"):
        ConfidenceTable.from_frame(pd.concat([frame, frame.iloc[:1]]), queries)
    with pytest.raises(UserError, match="query 'q00002': expected its benchmark"):
        ConfidenceTable.from_frame(frame, queries.iloc[:2])
