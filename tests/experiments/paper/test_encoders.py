"""The encoder sweep: what is best, whether larger is better, and the whole part on real runs of a toy pool."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from experiments.comparing import training
from experiments.paper.contrasts import JUDGED, Contrasts
from experiments.paper.parts import encoders
from experiments.paper.parts.encoder_claim import claim_notes, neighbours, verdict
from prefillroute.reports.style import styled
from prefillroute.routing.comparison import compare, compare_targets
from tests.experiments.paper.toy_study import LARGE, SMALL, TARGETS, study_of, train_here, write_toy


@pytest.fixture
def runs(tmp_path, tables, make_run):
    """Three finished runs: two good routers and a poor one."""
    return {name: make_run(tmp_path / name, table) for name, table in tables.items()}


def test_differences_are_those_of_the_tables(runs, tables) -> None:
    contrasts = Contrasts(runs, num_resamples=25)
    whole = compare(tables["prefill"], tables["far"], num_resamples=25)
    of_targets = compare_targets(tables["prefill"], tables["far"], num_resamples=25)
    assert {metric.key for metric in contrasts.judged} == set(JUDGED)
    for metric in contrasts.judged:
        found = contrasts.difference("prefill", "far", metric)
        assert found.value == pytest.approx(whole["difference"][metric.key])
        assert [found.low, found.high] == pytest.approx(whole["intervals"][metric.key])
        assert found.value == pytest.approx(
            contrasts.value("prefill", metric) - contrasts.value("far", metric)
        )
    found = contrasts.of_target("prefill", "far", "large")
    assert found.value == pytest.approx(of_targets["difference"]["large"]["auc"])
    assert [found.low, found.high] == pytest.approx(of_targets["intervals"]["large"]["auc"])


def test_the_claim_is_judged_by_neighbours_in_size(runs) -> None:
    contrasts = Contrasts(runs, num_resamples=60)
    auc = contrasts.judged[0]
    upwards = {"far": 1.0, "prefill": 2.0, "near": 2.0}
    pairs = neighbours(upwards)
    assert pairs == [("far", "prefill"), ("far", "near")]
    found = verdict(contrasts, pairs, auc)
    assert (found.better, found.worse, found.level) == (2, 0, 0)
    assert "holds here by mean AUC" in claim_notes(contrasts, upwards)[0]
    brier = next(metric for metric in contrasts.judged if metric.key == "mean_brier")
    assert verdict(contrasts, pairs, brier).better == 2  # less is better
    downwards = claim_notes(contrasts, {"far": 3.0, "prefill": 2.0})[0]
    assert "does not hold here by mean AUC" in downwards
    assert "mean AUC: better in 0, worse in 1, not separated in 0" in downwards
    level = claim_notes(contrasts, {"prefill": 1.0, "near": 2.0})[0]
    assert "is not shown here by mean AUC" in level
    assert "cannot be said from one encoder" in claim_notes(contrasts, {"far": 1.0})[0]


def test_the_best_of_each_target_is_counted_once() -> None:
    auc = np.array([[0.7, 0.6, np.nan, np.nan], [0.7, 0.8, 0.5, np.nan]])
    assert encoders.first_counts(auc).tolist() == [1, 2]
    assert encoders.first_counts(np.full((2, 3), np.nan)).tolist() == [0, 0]


@pytest.mark.slow
def test_the_part_on_a_toy_pool(tmp_path, monkeypatch) -> None:
    write_toy(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training.subprocess, "run", train_here)
    asked = study_of(tmp_path, SMALL, LARGE)
    with styled():
        section = encoders.run(asked)
    page = section.write(asked.folder / "encoders", asked.pool)
    HTMLParser().feed(page.read_text("utf-8"))
    table = pd.read_csv(asked.folder / "encoders" / "table2.csv")
    assert sorted(table["encoder"].unique()) == sorted([SMALL, LARGE, "fusion of all", "auto of all"])
    known = table.set_index(["encoder", "target"])["auc"]
    assert known.xs(TARGETS[2], level="target").isna().all()
    assert (known[LARGE][list(TARGETS[:2])] > known[SMALL][list(TARGETS[:2])]).all()
    summary = pd.read_csv(asked.folder / "encoders" / "encoders.csv").set_index("encoder")
    assert summary.loc[[SMALL, LARGE], "best_on"].tolist() == [0, 2]
    assert {drawing.name for drawing in section.drawings} == {"auc_matrix", "size"}
    assert any("holds here by mean AUC" in note for note in section.notes)
    assert any(TARGETS[2] in note for note in section.notes)

    monkeypatch.setattr(training.subprocess, "run", lambda *_, **__: pytest.fail("nothing is left to train"))
    with styled():
        alone = encoders.run(study_of(tmp_path, SMALL))
    assert [sheet.name for sheet in alone.sheets] == ["table2", "encoders"]
    assert [drawing.name for drawing in alone.drawings] == ["auc_matrix"]
    assert any("cannot be said from one encoder" in note for note in alone.notes)
