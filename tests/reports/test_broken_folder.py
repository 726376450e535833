"""A run folder that lacks something or contradicts itself is refused by name."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.reports.report import write_report


@pytest.mark.parametrize(
    "name", ["metrics.json", "predictions.parquet", "curve.parquet", ".hydra/config.yaml"]
)
def test_missing_file_is_named(run_folder, name):
    folder = run_folder()
    (folder / name).unlink()
    with pytest.raises(UserError, match=re.escape(name)):
        write_report(folder)


@pytest.mark.parametrize(
    "name", ["metrics.json", "predictions.parquet", "curve.parquet", "layers.parquet", "router/router.json"]
)
@pytest.mark.parametrize("keep", [0, 0.5])
def test_cut_file_is_named(run_folder, name, keep):
    folder = run_folder()
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(UserError, match=re.escape(name)) as caught:
        write_report(folder)
    assert "\n" not in str(caught.value)
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: f.drop(columns="confidence"), "confidence"),
        (lambda f: f[f["split"] != "test"], "split 'test'"),
        (lambda f: f.iloc[:-1], "exactly one row"),
        (lambda f: f.assign(target="stranger"), "stranger"),
        (lambda f: f.assign(confidence=np.nan), "confidence"),
        (lambda f: f.assign(query_id="same"), "exactly one row"),
    ],
)
def test_inconsistent_predictions_are_named(run_folder, change, named):
    folder = run_folder()
    path = folder / "predictions.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(UserError, match=named):
        write_report(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.pop("test"), "'test'"),
        (lambda m: m.update(targets={}), "'targets'"),
        (lambda m: m.update(cost_range=[0.1]), "cost_range"),
    ],
)
def test_inconsistent_metrics_are_named(run_folder, change, named):
    folder = run_folder()
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    change(metrics)
    path.write_text(json.dumps(metrics))
    with pytest.raises(UserError, match=named):
        write_report(folder)


def test_no_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="absent"):
        write_report(tmp_path / "absent")
