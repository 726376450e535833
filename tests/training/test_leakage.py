"""No predictor learns from what it must not see: every head, every signal, every calibration that ships.

(a) Outcomes permuted jointly over queries: nothing is left to learn, so every AUC is 0.5 up to chance.
(b) A query changed in prompt, features and outcomes: whatever was fitted without it is the same to the bit.
(c) Both notice a leak that is planted.

The predictors are found by reading conf/: the shortest-named experiment of each head and of each signal.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.modules.fit import FittedHead
from prefillroute.predictors.contract import Logits
from prefillroute.readings.contract import Readings
from prefillroute.signals.contract import Fitting
from prefillroute.signals.knn import KNNSignal
from prefillroute.training.confidences import calibrate, predict_logits
from prefillroute.training.data import RunData
from prefillroute.training.shared import Shared
from prefillroute.training.workshop import RunWorkshop

CONF = conf_dir()
FOLD = 1
CALIBRATIONS = sorted(path.stem for path in (CONF / "calibration").glob("*.yaml"))
World = Any  # of conftest.py


def experiments() -> list[str]:
    """For each option of the groups head and signal, the experiment with the shortest name that uses it."""
    found: dict[tuple[str, str], str] = {}
    names = [path.stem for path in (CONF / "experiment" / "semantic").glob("*.yaml")]
    for name in sorted(set(names) - {"grid", "7_deberta"}, key=lambda name: (len(name), name)):
        for entry in OmegaConf.load(CONF / "experiment" / "semantic" / f"{name}.yaml").defaults:
            ((group, option),) = entry.items()
            if "@" not in group and "trainer" not in group:
                found.setdefault((group, option), name)
    return sorted(set(found.values()))


@dataclass(frozen=True)
class Trained:
    """A predictor's logits, and its nets where it is not an average of others."""

    logits: Logits
    fitted: FittedHead | None


def train(world: World, name: str, data: RunData | None = None) -> tuple[Trained, RunData]:
    config = world.predictor(name)
    data = data or world.data
    workshop = RunWorkshop(config, data, Shared())
    if "signal" not in config.predictor:
        return Trained(build(config.predictor).train(workshop).logits, None), data
    features, fitted = workshop.fit(config.signal, config.head)
    return Trained(predict_logits(fitted, features, data.groups), fitted), data


def areas(prediction: Trained, data: RunData) -> dict[str, np.ndarray]:
    """AUC of every target on the out-of-fold and on the test rows."""
    rows = {"out of fold": (prediction.logits.out_of_fold, data.groups.rows)}
    rows["test"] = (prediction.logits.predict, data.predict_rows)
    return {part: roc_auc(z, data.outcomes.labels[at]) for part, (z, at) in rows.items()}


def chance_bound(num_rows: int) -> float:
    """Four standard errors of the AUC of a score that knows nothing, for classes of 45 % and more."""
    return 4 * np.sqrt((num_rows + 1) / (12 * 0.45 * 0.55 * num_rows**2))


def same_states(a: Trained, b: Trained, group: int) -> bool:
    first, second = (p.fitted.heads[group].state_dict() for p in (a, b))
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture(scope="module")
def changed(world: World, make: Callable[..., World]) -> dict[str, tuple[int, World]]:
    """A world with another test row, and one with another row of the held-out fold."""
    data = world.data
    rows = {
        "test": int(data.split.test[3]),
        "held out": int(data.groups.rows[np.flatnonzero(data.groups.held_out[FOLD])[5]]),
    }
    return {name: (row, make(changed=row)) for name, row in rows.items()}


def in_world(data: RunData, other: World) -> RunData:
    """The same division into parts and folds, of the other world's queries: strata depend on outcomes."""
    return replace(data, outcomes=other.data.outcomes, key=data.key + str(other.folder))


@pytest.mark.parametrize("name", experiments())
def test_nothing_is_learned_from_permuted_outcomes(name: str, permuted: World) -> None:
    for part, found in areas(*train(permuted, name)).items():
        rows = 252 if part == "out of fold" else 108
        assert (np.abs(found - 0.5) < chance_bound(rows)).all(), (part, found)


@pytest.mark.parametrize("name", experiments())
def test_what_was_fitted_without_a_query_does_not_know_it(
    name: str, world: World, changed: dict[str, tuple[int, World]]
) -> None:
    before, data = train(world, name)
    row, other = changed["test"]
    after, _ = train(other, name, in_world(data, other))
    np.testing.assert_array_equal(before.logits.out_of_fold, after.logits.out_of_fold)
    rest = data.predict_rows != row
    rounding = PADDED_ROUNDING if name in PADDED else 0.0
    np.testing.assert_allclose(after.logits.predict[rest], before.logits.predict[rest], rtol=0, atol=rounding)
    if before.fitted is None:
        return  # a blend: its parts are in this list, and its Platt slopes know every training row
    row, other = changed["held out"]
    held, _ = train(other, name, in_world(data, other))
    mine = data.groups.held_out[FOLD] & (data.groups.rows != row)
    np.testing.assert_allclose(
        held.logits.out_of_fold[mine], before.logits.out_of_fold[mine], rtol=0, atol=rounding
    )
    for group in range(len(data.groups.train)):
        assert same_states(before, after, group), group
    assert same_states(before, held, FOLD)
    if name not in UNTRAINED:
        assert not same_states(before, held, 0), "the final fit knows this row, or the test could not fail"


PADDED, PADDED_ROUNDING = ("7_deberta_toy",), 1e-6
"""Reads queries in batches as wide as their longest, whose width decides the order in which a processor adds up. What
it has fitted is compared to the bit like everything else.
"""
UNTRAINED = ("1_vote_k25", "2_score_inverse_k25")
"""Rules whose state is no fit at all."""


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_calibration_adds_no_knowledge(
    name: str, world: World, permuted: World, changed: dict[str, tuple[int, World]]
) -> None:
    prediction, data = train(permuted, "5_emb_lr")
    node = compose_run([f"calibration={name}"]).calibration
    own, test = calibrate(build(node), prediction.logits, data)
    for confidence, rows in ((own, data.groups.rows), (test, data.predict_rows)):
        found = roc_auc(confidence, data.outcomes.labels[rows])
        assert (np.abs(found - 0.5) < chance_bound(len(rows))).all(), found
    prediction, data = train(world, "5_emb_lr")
    row, other = changed["test"]
    again, elsewhere = train(other, "5_emb_lr", in_world(data, other))
    first, second = (
        calibrate(build(node), *pair) for pair in ((prediction.logits, data), (again.logits, elsewhere))
    )
    np.testing.assert_array_equal(first[0], second[0])
    rest = data.predict_rows != row
    np.testing.assert_array_equal(first[1][rest], second[1][rest])


def test_a_query_that_is_its_own_neighbour_is_noticed(
    permuted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_transform = KNNSignal.fit_transform

    def leaking(self: KNNSignal, readings: Readings, fitting: Fitting) -> np.ndarray:
        features = fit_transform(self, readings, replace(fitting, masks=np.ones_like(fitting.masks)))
        # Now each row finds itself first.
        return np.broadcast_to(self.transform(readings), features.shape).copy()

    monkeypatch.setattr(KNNSignal, "fit_transform", leaking)
    with pytest.raises(AssertionError, match="out of fold"):
        test_nothing_is_learned_from_permuted_outcomes("3_knn_lr", permuted)


def test_early_stopping_on_the_held_out_fold_is_noticed(
    world: World, changed: dict[str, tuple[int, World]]
) -> None:
    _, other = changed["held out"]
    data = world.data
    valid = data.groups.valid.copy()
    valid[FOLD] = data.groups.held_out[FOLD]
    leaking = replace(data, groups=replace(data.groups, valid=valid))
    before, _ = train(world, "u_emb_mt", leaking)
    after, _ = train(other, "u_emb_mt", in_world(leaking, other))
    assert not same_states(before, after, FOLD)
