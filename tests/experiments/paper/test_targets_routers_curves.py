"""The parts on finished runs, on one of the paper's pools and on others, whole; their numbers against the runs'."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from experiments.paper.figures.curves import Curve, bands
from experiments.paper.lineup import line_up, rank
from experiments.paper.parts import curves, pool, routers, targets
from prefillroute.errors import UserError
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.run_table import read_predictions
from prefillroute.reports.style import styled
from prefillroute.routing.contest import Contest

TRUNK, SEMANTIC = "SharedTrunkNet", "[nv-embed-v2] u_emb_mt (raw)"


def sheet_of(section, name):
    return next(sheet for sheet in section.sheets if sheet.name == name)


def value(frame: pd.DataFrame, **where: str) -> float:
    rows = frame
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_line_up_and_its_order(study) -> None:
    asked = study("frontier")
    folders = line_up(asked)
    assert list(folders) == [TRUNK, "constant", SEMANTIC]
    ranked = rank(asked, folders)
    assert [entry.name for entry in ranked] == [TRUNK, SEMANTIC, "constant"]
    assert [entry.place for entry in ranked] == ["1", "2", "3"]
    with pytest.raises(UserError, match=r"--semantic: expected some of .*found nope"):
        line_up(replace(asked, semantic=("nope",)))


def test_targets_are_those_of_the_runs_and_stand_beside_the_papers(study, tmp_path) -> None:
    asked = study("frontier")
    section = targets.run(asked)
    metrics = {name: read_metrics(folder) for name, folder in line_up(asked).items()}
    table3 = sheet_of(section, "table3").frame
    auc = metrics[TRUNK]["test"]["mean_auc"]
    assert value(table3, router=TRUNK, metric="mean_auc")["value"] == auc
    assert value(table3, router=TRUNK, metric="mean_auc")["low"] == metrics[TRUNK]["intervals"]["mean_auc"][0]
    beside = sheet_of(section, "table3_paper").frame
    found = value(beside, row=TRUNK, column="Mean AUC")
    assert (found["ours"], found["paper"]) == (auc, 0.8560)
    assert found["difference"] == pytest.approx(auc - 0.8560)
    assert value(beside, row=SEMANTIC, column="Mean Brier")["paper"] == 0.1756
    assert "constant" not in set(beside["row"])

    table = read_predictions(line_up(asked)[TRUNK]).part("test")
    to_it = table.confidence.argmax(axis=1)  # costs decide ties, and there are none
    right = table.correct[np.arange(len(table)), to_it]
    assert value(table3, router=TRUNK, metric="routed_accuracy_lambda0")["value"] == pytest.approx(
        right.mean()
    )
    of_targets = sheet_of(section, "table4").frame
    for index, target in enumerate(table.targets):
        mine = to_it == index
        for side, rows in (("to", mine), ("away", ~mine)):
            if rows.any():
                found = value(of_targets, target=target, metric=f"accuracy_routed_{side}_lambda0")["value"]
                assert found == pytest.approx(table.correct[rows, index].mean())

    brier = sheet_of(section, "table_b_brier_paper").frame
    found = value(brier, row="kimi-k2-0905", column=f"#2 {SEMANTIC}")
    assert found["paper"] == 0.1838
    assert found["ours"] == metrics[SEMANTIC]["targets"]["kimi-k2-0905"]["brier"]
    assert any("differs by at most" in note and "e-1" in note for note in section.notes)
    assert any("exceeds the mean of the best encoder" in note for note in section.notes)
    page = section.write(tmp_path / "page", "frontier").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "ours, the paper&#39;s, difference" in page
    assert "\\\\n" not in (tmp_path / "page" / "table3.md").read_text(encoding="utf-8")


def test_weighted_accuracy_where_outcomes_are_missing(study) -> None:
    asked = study("mixed", missing=0.05)
    section = targets.run(asked)
    metrics = read_metrics(line_up(asked)[TRUNK])
    assert metrics["test"]["num_left_out"] > 0
    assert any("lack a target's outcome" in note for note in section.notes)
    weighted = targets.weighted_accuracy(metrics)
    assert weighted != pytest.approx(metrics["test"]["routed_accuracy_lambda0"], abs=1e-6)


def test_routers_on_both_parts(study, tmp_path) -> None:
    asked = study("frontier")
    with styled():
        section = routers.run(asked)
    folders = line_up(asked)
    metrics = {name: read_metrics(folder) for name, folder in folders.items()}
    for suffix, part in (("", "test"), ("_disagreement", "disagreement")):
        table = sheet_of(section, f"table5{suffix}").frame
        for name in folders:
            for key in ("paper_accuracy_gain", "accuracy_gain", "paper_cost_savings"):
                assert value(table, router=name, metric=key)["value"] == metrics[name][part][key]
        differences = sheet_of(section, f"differences{suffix}").frame
        found = value(differences, router=SEMANTIC, metric="p_auccc")
        expected = metrics[TRUNK][part]["p_auccc"] - metrics[SEMANTIC][part]["p_auccc"]
        assert found[f"{TRUNK}_minus_it"] == pytest.approx(expected, abs=1e-9)
        assert found["difference_low"] <= expected <= found["difference_high"]
    pool_sheet = sheet_of(section, "single_targets_paper").frame
    assert value(pool_sheet, row="single targets", column="Efficacy")["paper"] == 0.7411
    areas = sheet_of(section, "table6_paper").frame
    assert value(areas, row=SEMANTIC, column="MDP-AUCCC")["paper"] == 0.0379
    assert not [sheet for sheet in section.sheets if sheet.name.endswith("disagreement_paper")]
    page = section.write(tmp_path / "page", "frontier").read_text(encoding="utf-8")
    assert page.count("<svg") == 2


def test_table_1_stands_beside_the_papers(study) -> None:
    found = sheet_of(pool.run(study("small")), "table1_paper").frame
    assert found["paper"].tolist() == [13988, 0.0583, 0.0821, 0.8595, 0.9197]
    assert found["ours"][0] == 240
    assert [sheet.name for sheet in pool.run(study("starter")).sheets] == ["table1"]


def test_curves_of_all_routers(study, tmp_path) -> None:
    asked = study("frontier")
    with styled():
        section = curves.run(asked)
    frame = sheet_of(section, "curves").frame
    for name, folder in line_up(asked).items():
        ours = frame[frame["router"] == name]
        metrics = read_metrics(folder)["test"]
        assert ours["accuracy"].max() == pytest.approx(metrics["paper_routed_accuracy"])
        area = ours["x"].iloc[0] * ours["y"].iloc[0] + np.trapezoid(ours["y"], ours["x"])
        assert area == pytest.approx(metrics["p_auccc"])
    assert [drawing.name for drawing in section.drawings] == ["curves_cost", "curves_inverse_cost"]
    for drawing in section.drawings:
        text = drawing.svg
        assert all(f">{name}<" in text for name in (TRUNK, "constant", SEMANTIC, "oracle"))
    page = section.write(tmp_path / "page", "frontier").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "http" not in page


def test_the_band_is_the_bootstrap_of_single_curves(study) -> None:
    table = read_predictions(line_up(study("frontier"))[TRUNK])
    contest = Contest.prepare(table, 101, None)
    curve = Curve.of(contest.under(np.ones((1, len(contest.router.table)))).router)
    found = bands(contest, curve, 40)
    rng, heights = np.random.default_rng(0), []
    test, frontier = contest.router.table, contest.router.frontier
    where = np.searchsorted(curve.cost_usd[::-1], found.cost.at[100])
    for _ in range(40):  # every resample on its own, from its rows
        rows = rng.integers(0, len(test), len(test))
        points = []
        for lambda_ in frontier.lambda_:
            score = (1 - lambda_) * test.confidence[rows] - lambda_ * (
                (test.cost_usd[rows] - contest.router.cost_range[0]) / np.ptp(contest.router.cost_range)
            )
            choice = score.argmax(axis=1)
            points.append((test.cost_usd[rows, choice].mean(), test.correct[rows, choice].mean()))
        cost, accuracy = np.array(points)[::-1].T
        heights.append(np.interp(found.cost.at[100], cost, accuracy))
    assert 0 < where < len(curve.cost_usd)
    assert [found.cost.low[100], found.cost.high[100]] == pytest.approx(
        np.quantile(heights, [0.025, 0.975]).tolist()
    )


def test_a_grid_gives_the_best_and_the_worst(study, make_run, table_of, tmp_path) -> None:
    names = (
        "constant",
        "category_prior",
        "benchmark_prior",
        "4_text_lr",
        "4_text_xgb",
        "4_text_mt",
        "4_text_u_mt",
    )
    for place, name in enumerate(names):
        overrides = (f"experiment/semantic={name}", "calibration=platt")
        make_run(tmp_path / name, table_of(0.1 + 3 * place, split="calibration"), overrides, pool="frontier")
    asked = replace(study("frontier"), grid=tmp_path)
    found = rank(asked, {})
    assert [entry.place for entry in found] == ["1", "2", "3", "last-2", "last-1", "last"]
    assert [entry.name for entry in found] == [f"{name} (platt)" for name in (*names[:3], *names[4:])]
    with pytest.raises(UserError, match=r"--grid .*: expected runs on pool small, found frontier"):
        rank(replace(study("small"), grid=tmp_path), {})
