"""The numbers behind the page of a sweep, without a browser: its data, groups, matrix and pools."""

import base64
import dataclasses
import json
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from prefillroute.reports.catalogue import global_metrics
from prefillroute.reports.run_folder import read_layers, read_metrics
from prefillroute.reports.style import styled
from prefillroute.reports.sweep_jobs import read_jobs
from prefillroute.reports.sweep_page.curves import run_curve, slider
from prefillroute.reports.sweep_page.groups import groupings
from prefillroute.reports.sweep_page.matrix import STEPS, matrix_of
from prefillroute.reports.sweep_page.pools import pools_of
from prefillroute.reports.sweep_page.profiles import mean_profile, profiles_drawing
from prefillroute.reports.sweep_page.stage import stage
from tests.reports.conftest import HOSTILE, routed_by_hand, write_run_folder

VARIED = ["encoder", "pool", "seed"]


def unpacked(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype=np.dtype(dtype).newbyteorder("<"))


@pytest.fixture(scope="module")
def page(compared_sweep):
    return (compared_sweep / "summary.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


@pytest.fixture(scope="module")
def finished(compared_sweep):
    return [job for job in read_jobs(compared_sweep) if job.metrics is not None]


def test_names_cannot_leave_the_data_or_fetch(page, data):
    assert data["pools"][0]["targets"][0] == HOSTILE
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert not re.search(r"https?:", page)
    assert "default-src 'none'" in page


def test_each_position_has_the_numbers_of_its_segment(compared_sweep, data):
    lambdas = np.linspace(0, 1, data["lambdas"])
    shown = [run for run in data["runs"] if run["curve"]]
    assert len(shown) == 7
    for run in shown:
        folder, kept = compared_sweep / run["values"][0], run["curve"]
        curve = pd.read_parquet(folder / "curve.parquet")
        row = [int(np.flatnonzero(curve["lambda_low"] <= value)[-1]) for value in lambdas]
        begins = unpacked(kept["begins"], "uint16")
        point = [int(np.flatnonzero(begins <= position)[-1]) for position in range(len(lambdas))]
        for name, column in (("cost", "cost_usd"), ("accuracy", "accuracy")):
            assert np.array_equal(unpacked(kept[name], "float64")[point], curve[column].to_numpy()[row])
        counts = np.zeros((len(begins), len(data["pools"][run["pool"]]["targets"])), dtype=int)
        ends = [0, *unpacked(kept["changed"], "uint16").cumsum().tolist()]
        changes = unpacked(kept["changes"], "int32" if kept["wide"] else "int16").reshape(-1, 2)
        for step, (low, high) in enumerate(pairwise(ends)):
            for target, change in changes[low:high]:
                counts[step:, target] += change
        assert np.array_equal(counts[point], routed_by_hand(folder, curve["lambda"].to_numpy()[row]))
        line = unpacked(kept["line"], "float32").reshape(-1, 2)
        known = curve[["cost_usd", "accuracy"]].to_numpy().astype(np.float32)
        assert (line[:, None] == known).all(axis=2).any(axis=1).all()
        assert line[:, 1].max() == known[:, 1].max()


def test_the_table_s_values_and_the_run_without_a_curve(page, data, finished):
    keys = [metric.key for metric in global_metrics("sweep")]
    for run in data["runs"]:
        job = next(job for job in finished if job.folder == run["values"][0])
        assert run["values"][1:4] == [
            job.overrides["encoder"],
            job.overrides["pool"],
            float(job.overrides["seed"]),
        ]
        assert run["values"][4:] == [job.metrics["test"][key] for key in keys]
    without = [run["values"][0] for run in data["runs"] if run["curve"] is None]
    assert without == ["7"]
    assert "1 run has no curve" in page
    assert "curve.parquet: expected this file" in page


def test_groups_are_pandas_means_and_deviations(finished):
    shown = global_metrics("sweep")
    pools = pools_of(finished, VARIED)
    first, *others = groupings(finished, pools, VARIED, shown)
    assert first.title == "all choices but the seed"
    assert [grouping.title for grouping in others] == ["seed", "pool"]  # by encoder is the same as the first
    frame = pd.DataFrame([{**job.overrides, **job.metrics["test"]} for job in finished])
    expected = frame.groupby(["pool", "encoder"])["mean_brier"].agg(["mean", "std", "count", "size"])
    assert first.keys == ("pool", "encoder")
    assert {group.values for group in first.groups} == set(expected.index)
    column = [metric.key for metric in shown].index("mean_brier")
    for group in first.groups:
        spread, row = group.spreads[column], expected.loc[group.values]
        assert spread.mean == pytest.approx(row["mean"])
        assert (spread.num_values, group.num_runs) == (row["count"], row["size"])
        if row["count"] > 1:
            assert spread.deviation == pytest.approx(row["std"])
        else:
            assert spread.deviation is None
    assert expected["count"].sum() == expected["size"].sum() - 1


def test_the_matrix_averages_seeds_and_marks_the_best(finished):
    pool = pools_of(finished, VARIED)[0]
    matrix = matrix_of(pool, finished, VARIED)
    frame = pd.DataFrame(
        [
            {"encoder": job.overrides["encoder"], "target": target, "auc": entry["auc"]}
            for job in finished
            if job.overrides["pool"] == pool.name
            for target, entry in job.metrics["targets"].items()
        ]
    )
    expected = frame.groupby(["encoder", "target"])["auc"].mean().unstack()[list(pool.targets)]
    assert [row.num_runs for row in matrix.rows] == [3, 3]
    for row in matrix.rows:
        own = expected.loc[row.name.removeprefix("encoder=")]
        assert [cell.auc for cell in row.cells] == pytest.approx([own.mean(), *own])
        tops = [expected.mean(axis=1).max(), *expected.max()]
        assert [cell.best for cell in row.cells] == (
            np.array([own.mean(), *own]) >= np.array(tops) - 1e-12
        ).tolist()
    cells = sorted((cell.auc, cell.shade) for row in matrix.rows for cell in row.cells)
    assert [shade for _, shade in cells] == sorted(shade for _, shade in cells)
    assert (cells[0][1], cells[-1][1]) == (0, STEPS - 1)
    assert matrix.ends[0] == cells[0][0]
    assert matrix.ends[-1] == pytest.approx(cells[-1][0])


def test_runs_on_far_fewer_queries_are_another_pool(finished):
    assert [(pool.name, len(pool.members)) for pool in pools_of(finished, VARIED)] == [("p", 6), ("q", 2)]
    assert [pool.name for pool in pools_of(finished[:1], VARIED)] == [""]
    few = json.loads(json.dumps(finished[0].metrics))
    few["test"]["num_queries"] //= 2
    apart = [*finished, dataclasses.replace(finished[0], metrics=few)]
    names = [pool.name for pool in pools_of(apart, VARIED)]
    assert len(set(names)) == 3
    assert f"p 3 targets {few['test']['num_queries']} test queries" in names


def test_profiles_of_several_runs(compared_sweep):
    layers = read_layers(compared_sweep / "0")
    found = mean_profile(layers)
    part = layers.query("encoder == 'tiny' and pooling == 'mean' and layer == 3")
    assert found["tiny", "mean", 3] == pytest.approx(
        max(part[part["dim"] == dim]["auc"].mean() for dim in (50, 100))
    )
    assert not np.isnan(found).any()
    drawing = profiles_drawing("p", [found, found + 0.1], {"tiny": 8})
    lines = [line for line in drawing.figure.axes[0].lines if line.get_linestyle() != "None"]
    assert len(lines) == 2  # one per pooling
    assert lines[1].get_xdata() == pytest.approx(np.array([1, 2, 3, 4]) / 8)
    assert lines[1].get_ydata() == pytest.approx(found["tiny", "mean"].to_numpy() + 0.05)
    assert profiles_drawing("p", [found.iloc[:0]], {}) is None


@pytest.mark.parametrize(("price", "scales"), [(1.0, ["cost", "normalised"]), (0.0, ["cost"])])
def test_a_free_target_has_a_linear_axis_and_no_inverse_cost(tmp_path, make_table, price, scales):
    table = make_table(3)
    table = dataclasses.replace(table, cost_usd=table.cost_usd * [price, 1, 1])
    write_run_folder(tmp_path / "run", table)
    curve = run_curve(tmp_path / "run", read_metrics(tmp_path / "run"), slider(1))
    with styled():
        drawn = [stage(scale, scale, curve.targets, curve.plane, [curve]) for scale in ("cost", "normalised")]
    assert [one.scale for one in drawn if one is not None] == scales
    frame = drawn[0].frame
    assert frame.log == (price > 0)
    limits = 10 ** np.array(frame.x) if frame.log else np.array(frame.x)
    costs = 1000 * np.append(curve.plane.cost_usd, curve.cost_usd)
    assert limits[0] < costs.min() < costs.max() < limits[1]


def test_the_slider_gets_coarser_as_runs_grow():
    assert [len(slider(runs)) for runs in (2, 120, 121, 240, 588)] == [1001, 1001, 501, 501, 201]
    assert slider(600)[[0, 1, -1]].tolist() == [0, 0.005, 1]
