"""No predictor learns from what it must not see: every head, every signal, every calibration that ships.

(a) Outcomes permuted jointly over queries: nothing is left to learn, so every AUC is 0.5 up to chance.
(b) A query changed in prompt, features and outcomes: whatever was fitted without it is the same to the bit.
(c) Both notice a leak that is planted.

The predictors are found by reading conf/: the shortest-named experiment of each head and of each signal.
"""

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run, conf_dir
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.prompts import EncodedPrompt
from prefillroute.extraction.run import extract
from prefillroute.heads.blend import Blend
from prefillroute.metrics.roc_auc import roc_auc
from prefillroute.outcomes.files import write_outcomes
from prefillroute.signals.knn import KNNSignal
from prefillroute.training.confidences import calibrate
from prefillroute.training.data import RunData, load_data
from prefillroute.training.predictors import Prediction, Predictors
from prefillroute.training.shared import Shared

CONF = conf_dir()
TARGETS = ("cheap", "middle", "dear")
NUM_QUERIES, WIDTH = 360, 8
FOLD = 1
CALIBRATIONS = sorted(path.stem for path in (CONF / "calibration").glob("*.yaml"))
SMALL = [
    "trainer.num_members=1", "trainer.num_kept=1", "trainer.max_epochs=4", "trainer.progress_bar=false",
    "num_folds=2", "split.test_size=0.3",
]  # fmt: skip
SMALLER = {
    "ego_graph": ["signal.dim=4"],
    "xgboost": ["head.num_rounds=10"],
    "cluster": ["head.num_clusters=[4]"],
}


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


@functools.cache
def composed(*overrides: str) -> DictConfig:
    """The run on any of the worlds; Hydra takes a quarter of a second for it."""
    targets = ",".join(f"{{name:{name},price_in:1,price_out:2}}" for name in TARGETS)
    pool = ("pool=mmlu_pro_six", "pool.name=toy", f"pool.targets=[{targets}]")
    encoder = ("encoder.name=toy", "encoder.num_layers=2", f"encoder.hidden_size={WIDTH}")
    embedder = ("embedder.name=toy", f"embedder.dimension={WIDTH}", "language_model.name=toy")
    return compose_run([*pool, *encoder, *embedder, *SMALL, *overrides])


@dataclass(frozen=True)
class World:
    """A pool on disk with all its caches."""

    folder: Path

    def config(self, *overrides: str) -> DictConfig:
        config = copy.deepcopy(composed(*overrides))
        config.pool.outcomes = config.paths.caches = str(self.folder)
        return config

    def predictor(self, name: str) -> DictConfig:
        chosen = OmegaConf.load(CONF / "experiment" / "semantic" / f"{name}.yaml").defaults
        options = {str(option) for entry in chosen for group, option in entry.items() if "@" not in group}
        smaller = [text for option in sorted(options & set(SMALLER)) for text in SMALLER[option]]
        return self.config(f"experiment=semantic/{name}", "pool.max_queries=null", *smaller)

    @functools.cached_property
    def data(self) -> RunData:
        return load_data(self.config())


class Given:
    """An encoder that looks up what was made for each prompt; extraction and cache are the real ones."""

    def __init__(
        self, encoder: str, values: np.ndarray, prompts: Sequence[str], poolings: tuple[str, ...]
    ) -> None:
        self.values, self.poolings = values, poolings  # (N, layers, width)
        self.row = {self._ids(prompt).tobytes(): row for row, prompt in enumerate(prompts)}
        self.layer_ids = tuple(range(values.shape[1]))
        chat = "." not in encoder
        self.identity = CacheIdentity(
            encoder, "made", num_layers=values.shape[1] - 1, hidden_size=values.shape[2], compute_dtype="float32",
            storage_dtype="float32", prompt_format="chat" if chat else "plain", chat_template="none",
            chat_template_kwargs="{}", max_length=99,
        )  # fmt: skip
        self.versions = "none"

    @staticmethod
    def _ids(prompt: str) -> np.ndarray:
        return np.frombuffer(prompt.encode(), np.uint8).astype(np.int32)

    def prompts(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        return [EncodedPrompt(self._ids(prompt), len(prompt), False) for prompt in prompts]

    def narrow(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None: ...

    def activations(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        rows = [self.row[ids.tobytes()] for ids in batch]
        return dict.fromkeys(self.poolings, self.values[rows])


def make_world(folder: Path, permuted: bool = False, changed: int | None = None) -> World:
    """Queries whose vectors say much about their outcomes; one row may be another query in every respect."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(NUM_QUERIES, 3, WIDTH)).astype(np.float32)
    chance = 1 / (1 + np.exp(-3 * vectors[:, 0, : len(TARGETS)] - vectors[:, 0, [3]]))
    correct = (rng.random(chance.shape) < chance).astype(float)
    numbers = np.abs(rng.normal(size=(NUM_QUERIES, 1, 5))).astype(np.float32)
    numbers[..., 4] = rng.random((NUM_QUERIES, 1))
    category = [f"c{int(vector[0, 0] > 0)}" for vector in vectors]
    prompts = [f"query {row}: what is {row} + {row % 7}?" for row in range(NUM_QUERIES)]
    if permuted:
        correct = correct[rng.permutation(NUM_QUERIES)]
    if changed is not None:
        vectors[changed] *= -30
        numbers[changed, 0, :4] += 50
        correct[changed] = 1 - correct[changed]
        category[changed] = "c0" if category[changed] == "c1" else "c1"
        prompts[changed] = "Else (nothing) is 1 \\frac{1}{2}. Is it not?"
    ids = [f"q{row}" for row in range(NUM_QUERIES)]
    queries = pd.DataFrame(
        {"query_id": ids, "benchmark": [f"b{row % 2}" for row in range(NUM_QUERIES)], "category": category,
         "prompt": prompts, "split": np.where(np.arange(NUM_QUERIES) % 10 < 3, "test", "train")}
    )  # fmt: skip
    outcomes = pd.DataFrame(
        {"query_id": np.repeat(ids, len(TARGETS)), "target": list(TARGETS) * NUM_QUERIES, "correct": correct.ravel(),
         "prompt_tokens": 10, "completion_tokens": 20}
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_outcomes(folder, queries, outcomes)
    made = {
        "toy": (vectors, ("last", "mean")),
        "embedder.toy": (vectors[:, :1], ("embedding",)),
        "language_model.toy": (numbers, ("perplexity",)),
    }
    for name, (values, poolings) in made.items():
        extract(Given(name, values, prompts, poolings), ids, prompts, folder, ExtractionOptions(device="cpu"))
    return World(folder)


def train(world: World, name: str, data: RunData | None = None) -> tuple[Prediction, RunData]:
    config = world.predictor(name)
    data = data or world.data
    predictors = Predictors(config, data, Shared())
    if str(config.head["_target_"]).endswith(".Blend"):
        blend = build(config.head)
        assert isinstance(blend, Blend)
        return predictors.blend(blend), data
    return predictors.predict(config.signal, config.head), data


def areas(prediction: Prediction, data: RunData) -> dict[str, np.ndarray]:
    """AUC of every target on the out-of-fold and on the test rows."""
    rows = {"out of fold": (prediction.logits.out_of_fold, data.groups.rows)}
    rows["test"] = (prediction.logits.predict, data.predict_rows)
    return {part: roc_auc(z, data.outcomes.labels[at]) for part, (z, at) in rows.items()}


def chance_bound(num_rows: int) -> float:
    """Four standard errors of the AUC of a score that knows nothing, for classes of 45 % and more."""
    return 4 * np.sqrt((num_rows + 1) / (12 * 0.45 * 0.55 * num_rows**2))


def same_states(a: Prediction, b: Prediction, group: int) -> bool:
    first, second = (p.fitted.heads[group].state_dict() for p in (a, b))
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def permuted(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("permuted"), permuted=True)


@pytest.fixture(scope="module")
def changed(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, World]]:
    """A world with another test row, and one with another row of the held-out fold."""
    data = world.data
    rows = {
        "test": int(data.split.test[3]),
        "held out": int(data.groups.rows[np.flatnonzero(data.groups.held_out[FOLD])[5]]),
    }
    return {
        name: (row, make_world(tmp_path_factory.mktemp("changed"), changed=row)) for name, row in rows.items()
    }


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
    np.testing.assert_array_equal(before.logits.predict[rest], after.logits.predict[rest])
    if before.fitted is None:
        return  # a blend: its parts are in this list, and its Platt slopes know every training row
    row, other = changed["held out"]
    held, _ = train(other, name, in_world(data, other))
    mine = data.groups.held_out[FOLD] & (data.groups.rows != row)
    np.testing.assert_array_equal(before.logits.out_of_fold[mine], held.logits.out_of_fold[mine])
    for group in range(len(data.groups.train)):
        assert same_states(before, after, group), group
    assert same_states(before, held, FOLD)
    if name not in UNTRAINED:
        assert not same_states(before, held, 0), "the final fit knows this row, or the test could not fail"


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

    def leaking(self: KNNSignal, inputs: object, masks: np.ndarray) -> np.ndarray:
        features = fit_transform(self, inputs, np.ones_like(masks))
        return np.broadcast_to(
            self.transform(inputs), features.shape
        ).copy()  # now each row finds itself first

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
