"""The geometry part: its statistics against scipy and brute force, its probes against a run's, and the whole part."""

import itertools
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, spearmanr

from experiments.comparing import training
from experiments.paper.asked import Asked
from experiments.paper.parts import geometry
from experiments.paper.parts.geometry_cells import (
    agreement,
    over_targets,
    probe_cells,
    rank_correlation,
)
from experiments.paper.parts.geometry_runs import peak_layers
from prefillroute.caches.reader import ActivationCache
from prefillroute.reports.style import styled
from tests.experiments.paper.toy_study import LARGE, SMALL, TARGETS, study_of, train_here, write_toy


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks by counting, ties at their mean."""
    return np.array([(values < value).sum() + (values == value).sum() / 2 for value in values])


def test_rank_correlation_is_that_of_ranks() -> None:
    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(size=(2, 30)), 1)  # with ties
    b = b + a
    assert rank_correlation(a, b) == pytest.approx(np.corrcoef(ranks(a), ranks(b))[0, 1])
    holes = np.where(np.arange(30) % 7 == 0, np.nan, a)
    known = ~np.isnan(holes)
    assert rank_correlation(holes, b) == pytest.approx(spearmanr(a[known], b[known]).statistic)
    for undefined in (np.full(30, 2.0), np.full(30, np.nan), np.where(np.arange(30) < 2, a, np.nan)):
        assert np.isnan(rank_correlation(undefined, b))


def test_agreement_finds_peaks_and_what_they_cost() -> None:
    rng = np.random.default_rng(1)
    score, auc = rng.normal(size=(9, 5)), rng.uniform(0.5, 0.9, size=(9, 5))
    auc[2] = np.nan  # a constant layer
    score[2] = 99.0  # is never chosen, whatever its score
    auc[:, 3] = np.nan  # a target with one class
    score[:, 4] = auc[:, 4]
    found = agreement(score, auc)
    for target in (0, 1, 2):
        cells = [cell for cell in range(9) if cell != 2]
        own = max(cells, key=lambda cell: score[cell, target])
        best = max(cells, key=lambda cell: auc[cell, target])
        assert (found.own[target], found.best[target]) == (own, best)
        assert found.lost[target] == pytest.approx(auc[best, target] - auc[own, target])
        assert found.correlation[target] == pytest.approx(
            spearmanr(score[cells, target], auc[cells, target]).statistic
        )
    assert (found.own[3], found.best[3]) == (-1, -1)
    assert np.isnan([found.lost[3], found.correlation[3]]).all()
    assert (found.lost[4], found.correlation[4]) == (0.0, pytest.approx(1.0))
    assert found.same == sum(found.own[target] == found.best[target] for target in (0, 1, 2, 4))


def test_means_over_targets_and_their_interval() -> None:
    values = np.append(np.random.default_rng(2).normal(size=12), np.nan)
    mean, (low, high) = over_targets(values, 4000)
    assert mean == pytest.approx(values[:-1].mean())
    theirs = bootstrap(
        (values[:-1],), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(3)
    )
    assert [low, high] == pytest.approx([*theirs.confidence_interval], abs=0.05)
    three = np.array([0.0, 1.0, 5.0])
    every = [np.mean(draw) for draw in itertools.product(three, repeat=3)]
    assert over_targets(three, 4000)[1] == pytest.approx((min(every), max(every)))  # 1 of 27 each: over 2.5 %
    assert over_targets(np.array([0.4, np.nan]), 100) == (0.4, None)
    assert np.isnan(over_targets(np.array([np.nan]), 100)[0])


def training_rows(asked: Asked, layer: int) -> np.ndarray:
    """Activations of the toy's training queries, by the cache's own reader."""
    queries = asked.data.outcomes.queries
    view = ActivationCache(Path("caches") / f"{LARGE}-plain.h5").select(
        queries["query_id"].tolist(), queries["prompt"].tolist()
    )
    return view.read(layer, "last")[asked.data.split.train].astype(float)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    write_toy(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_layer_is_measured_on_training_rows_and_remembered(toy, monkeypatch) -> None:
    asked = study_of(toy, LARGE)
    cells = probe_cells(asked, LARGE)
    assert [cells.name(cell) for cell in range(8)] == [
        f"{layer} {pooling}" for layer in range(4) for pooling in ("last", "mean")
    ]
    assert np.isnan(cells.auc[:2]).all()  # layer 0 is constant
    assert np.isnan(cells.score("isotropy")[:2]).all()
    assert np.isnan(cells.auc[:, 2]).all()  # one class
    assert cells.scored.tolist() == [True, True, False]
    assert cells.layer[np.nanargmax(cells.mean("auc"))] == 2  # where the noise is least
    pooling, peaks = peak_layers(cells)
    assert (pooling, peaks["auc"], peaks["fisher_j"]) == ("last", 2, 2)
    rows = training_rows(asked, layer=2)
    centred = rows - rows.mean(0)
    eigenvalues = np.linalg.eigvalsh(centred.T @ centred / len(rows))
    assert cells.d_eff[4] == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rel=1e-4)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert cells.anisotropy[4] == pytest.approx(
        (unit @ unit.T)[~np.eye(len(rows), dtype=bool)].mean(), abs=1e-5
    )

    monkeypatch.setattr(
        "prefillroute.layers.contract.probe_layer", lambda *_, **__: pytest.fail("probed again")
    )
    again = probe_cells(study_of(toy, LARGE), LARGE)
    assert np.array_equal(again.auc, cells.auc, equal_nan=True)


@pytest.mark.slow
def test_the_part_on_a_toy_pool(toy, monkeypatch) -> None:
    monkeypatch.setattr(training.subprocess, "run", train_here)
    asked = study_of(toy, SMALL, LARGE)
    with styled():
        section = geometry.run(asked)
    folder = asked.folder / "geometry"
    HTMLParser().feed(section.write(folder, asked.pool).read_text("utf-8"))
    layers = pd.read_csv(folder / "layers.csv")
    assert len(layers) == 2 * 4 * 2
    assert layers.loc[layers["layer"] == 0, ["d_eff", "fisher_j", "auc"]].isna().all(axis=None)
    targets = pd.read_csv(folder / "targets.csv")
    assert len(targets) == 2 * 3 * 3
    assert targets.loc[targets["target"] == TARGETS[2], "auc_lost"].isna().all()
    agreed = pd.read_csv(folder / "agreement.csv").set_index(["encoder", "score"])
    assert agreed.loc[(LARGE, "fisher_j"), "auc_lost"] == pytest.approx(0, abs=0.02)
    findings = pd.read_csv(folder / "findings.csv")
    assert {"layers by Fisher J, not by the probe", "MLP, not logistic regression"} <= set(
        findings["finding"]
    )
    assert (findings["value_a"] - findings["value_b"]).to_numpy() == pytest.approx(
        findings["difference"].to_numpy()
    )
    assert any(TARGETS[2] in note for note in section.notes)
    monkeypatch.setattr(training.subprocess, "run", lambda *_, **__: pytest.fail("nothing is left to train"))
    with styled():
        assert len(geometry.run(study_of(toy, SMALL)).drawings) == 2
