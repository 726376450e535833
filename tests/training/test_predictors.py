"""What a run trains once and later jobs of the sweep find again; averages of confidence tables."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.errors import UserError
from prefillroute.predictors.blend import Blend
from prefillroute.training.confidences import calibrate, predict_logits
from prefillroute.training.data import load_data
from prefillroute.training.shared import Recent, Shared
from prefillroute.training.workshop import RunWorkshop

World = Any  # of conftest.py


def predictors(world: World, shared: Shared, *overrides: str) -> RunWorkshop:
    return RunWorkshop(world.config(*overrides), world.data, shared)


@pytest.mark.parametrize("split", ["stratified", "calibrated"])
def test_a_blend_is_the_mean_of_calibrated_confidences(world: World, split: str) -> None:
    config = world.config(
        "predictor=blend", "layers=final", "layers.dim=4", f"split={split}", "split.test_size=0.3"
    )
    data = load_data(config)
    own = RunWorkshop(config, data, Shared())
    blend = build(config.predictor)
    assert isinstance(blend, Blend)
    found = blend.train(own)
    parts = [own.predict(part["signal"], part["head"]) for part in blend.parts.values()]
    tables = [calibrate(build(config.calibration), part.logits, data) for part in parts]
    wanted = [logit(np.mean([table[side] for table in tables], axis=0)) for side in (0, 1)]
    if split == "calibrated":
        assert found.logits.out_of_fold is None
        np.testing.assert_allclose(found.logits.predict, np.concatenate(wanted), rtol=1e-6)
    else:
        np.testing.assert_allclose(found.logits.out_of_fold, wanted[0], rtol=1e-6)
        np.testing.assert_allclose(found.logits.predict, wanted[1], rtol=1e-6)
    assert (expit(found.logits.predict) > 0).all()
    assert found.fits == sum(part.fits for part in parts)


def test_calibrations_of_a_predictor_share_its_logits_and_nothing_else_does(world: World) -> None:
    shared = Shared()

    def predict(*overrides: str) -> Any:
        found = predictors(world, shared, "signal=embedding", "head=logistic", *overrides)
        return found.predict(found.config.signal, found.config.head)

    first = predict("calibration=platt")
    assert predict("calibration=isotonic", "evaluation.num_resamples=7") is first
    for other in ("head.standardise=true", "signal.dim=4", "trainer.batch_size=100", "embedder.max_length=9"):
        assert predict(other) is not first, other
    config = world.config("signal=embedding", "head=logistic")
    elsewhere = RunWorkshop(config, replace(world.data, key="other rows"), shared)
    assert elsewhere.predict(config.signal, config.head) is not first


def test_predictors_share_features(world: World) -> None:
    shared = Shared()
    first = predictors(world, shared, "signal=knn", "head=logistic")
    second = predictors(world, shared, "signal=knn", "head=knn_vote")
    assert first.features(first.config.signal) is second.features(second.config.signal)
    third = predictors(world, shared, "signal=knn", "signal.kernel=gaussian")
    assert first.features(first.config.signal) is not third.features(third.config.signal)


@pytest.mark.parametrize(
    ("overrides", "matters"),
    [
        (("signal=knn", "head=logistic"), True),
        (("signal=embedding", "head=unified_multi_task"), True),
        (("signal=embedding", "head=shared_trunk", "trainer.monitor=auc", "trainer.num_members=6"), True),
        (("signal=embedding", "head=shared_trunk"), False),
    ],
)
def test_what_counts_as_right_is_the_pools_to_say(
    world: World, overrides: tuple[str, ...], matters: bool
) -> None:
    scores = np.random.default_rng(0).random(world.data.outcomes.correct.shape)
    logits = []
    for threshold in (0.5, 0.9):
        outcomes = replace(world.data.outcomes, correct=scores, correct_threshold=threshold)
        config = world.config(*overrides)
        own = RunWorkshop(config, replace(world.data, outcomes=outcomes), Shared())
        logits.append(own.predict(config.signal, config.head).logits.predict)
    assert np.array_equal(*logits) is not matters


def test_no_semantic_router_keeps_more_than_one_seed() -> None:
    for path in (conf_dir() / "experiment" / "semantic").glob("*.yaml"):
        own = OmegaConf.load(path)
        if {"override /trainer": "semantic"} in list(own.get("defaults", [])):
            assert own.get("trainer", {}).get("num_kept", 1) == 1, path.name


def test_trainer_semantic_keeps_the_seed_that_is_best_on_calibration_rows(world: World) -> None:
    """The paper's rule (section 4.2). One run for each seed on its own would cost three; its ranking has all three."""
    shipped = build(compose_run(["trainer=semantic"]).trainer)
    assert (shipped.num_kept, shipped.ranked_on, shipped.monitor) == (1, "calibration", "auc")
    assert shipped.num_members > 1
    config = world.config(
        "signal=embedding", "head=unified_multi_task", "trainer=semantic", "split=calibrated", "split.test_size=0.3",
        "split.column=null", "split.calibration_size=0.2", "trainer.max_epochs=6", "trainer.num_members=3",
    )  # fmt: skip
    data = load_data(config)
    features, fitted = RunWorkshop(config, data, Shared()).fit(config.signal, config.head)
    logits = predict_logits(fitted, features, data.groups)
    assert fitted.kept.shape == (1, 1)
    assert fitted.ranking_loss.shape == (1, 3)
    calibration = data.split.calibration
    z, right = logits.predict[: len(calibration)], data.outcomes.labels[calibration]
    area = np.mean([roc_auc_score(right[:, m], z[:, m]) for m in range(right.shape[1])])
    assert 1 - fitted.ranking_loss.min() == pytest.approx(area, abs=1e-6)
    assert fitted.ranking_loss[0, fitted.kept[0, 0]] == fitted.ranking_loss.min()
    assert (fitted.ranking_loss != fitted.validation_loss).all()


def test_what_was_not_asked_for_longest_goes_first() -> None:
    recent, made = Recent(2), []

    def get(key: str) -> str:
        return recent.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]


def test_a_blend_says_what_it_lacks() -> None:
    with pytest.raises(UserError, match=r"predictor\.parts: expected at least two predictors, found 1"):
        Blend({"a": {"signal": {}, "head": {}}}, {})
    with pytest.raises(UserError, match=r"predictor\.parts\.b: expected .*, found no head"):
        Blend({"a": {"signal": {}, "head": {}}, "b": {"signal": {}}}, {})
