"""Embedding, perplexity and unions: against scikit-learn, and how parts stand side by side."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from prefillroute.errors import UserError
from prefillroute.layers.final import FinalLayer
from prefillroute.modes.single import Single
from prefillroute.readings.contract import Reading
from prefillroute.signals.category import CategorySignal
from prefillroute.signals.difficulty import DifficultySignal
from prefillroute.signals.ego_graph import EgoGraphSignal
from prefillroute.signals.embedding import EmbeddingSignal
from prefillroute.signals.knn import KNNSignal
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.signals.text import TextSignal
from prefillroute.signals.union import UnionSignal
from tests.signals.toy import MODEL, Queries, fit

N, M = 60, 3
MASKS = np.stack([np.arange(N) < 50, np.arange(N) % 2 == 0])


def toy_queries(seed: int = 0) -> Queries:
    rng = np.random.default_rng(seed)
    return Queries(
        prompts=np.array([f"How many? {i} * {i}" for i in range(N)], dtype=object),
        benchmarks=np.array([f"b{i % 2}" for i in range(N)], dtype=object),
        activations={"mean": rng.normal(size=(N, 3, 8)).astype(np.float32)},
        embedding=rng.normal(size=(N, 6)).astype(np.float32),
        perplexity=np.exp(rng.normal(size=(N, 5))).astype(np.float32),
        correct=(rng.random((N, M)) < 0.5).astype(float),
    )


def union() -> UnionSignal:
    return UnionSignal(
        {
            "knn": KNNSignal(MODEL),
            "prefill": PrefillSignal(Single(MODEL), FinalLayer(["mean"], dim=4)),
            "text": TextSignal(),
            "category": CategorySignal("benchmark"),
        }
    )


def test_pca_is_that_of_scikit_learn_up_to_one_scale() -> None:
    inputs = toy_queries()
    features = fit(EmbeddingSignal(MODEL, 3), inputs, MASKS)
    for group, mask in enumerate(MASKS):
        wanted = PCA(3, svd_solver="full").fit(inputs.embedding[mask]).transform(inputs.embedding)
        ratio = np.abs(features[group] / wanted)
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)
        assert np.sqrt((features[group][mask] ** 2).mean()) == pytest.approx(1, rel=1e-5)


def test_union_lays_out_common_columns_first_then_each_targets_own() -> None:
    inputs = toy_queries()
    signal = union()
    features = fit(signal, inputs, MASKS)
    parts = {name: fit(part, inputs, MASKS) for name, part in union().parts.items()}
    common = np.concatenate([parts["prefill"], parts["text"], parts["category"]], axis=-1)
    np.testing.assert_array_equal(features[..., : common.shape[-1]], common)
    np.testing.assert_array_equal(features[..., common.shape[-1] :], parts["knn"])
    assert len(signal.layout_.own) == 50
    assert signal.layout_.common(M) == common.shape[-1]
    assert signal.reads() == (Reading("embedder", MODEL), Reading("encoder", MODEL))
    assert signal.columns() == ("prompt", "benchmark")
    assert signal.layer_choice.blocks[0].name == "toy/mean/2/pca4"


def test_two_parts_with_own_columns_stay_together_by_target() -> None:
    inputs = toy_queries()
    features = fit(
        UnionSignal({"a": KNNSignal(MODEL), "b": KNNSignal(MODEL, kernel="gaussian")}), inputs, MASKS
    )
    first, second = (fit(KNNSignal(MODEL, kernel=k), inputs, MASKS) for k in ("inverse", "gaussian"))
    np.testing.assert_array_equal(features[..., 100:150], first[..., 50:100])
    np.testing.assert_array_equal(features[..., 150:200], second[..., 50:100])


def test_mistakes_name_the_key() -> None:
    with pytest.raises(UserError, match=r"signal\.dim: .*, found 0"):
        EmbeddingSignal(MODEL, 0)
    with pytest.raises(UserError, match=r"signal\.dim: expected at most 6, .*, found 7"):
        fit(EmbeddingSignal(MODEL, 7), toy_queries(), MASKS)
    with pytest.raises(UserError, match=r"signal\.parts: expected at least two signals, found 1"):
        UnionSignal({"text": TextSignal()})
    with pytest.raises(UserError, match=r"signal\.column: .*, found 'prompt'"):
        CategorySignal("prompt")
    with pytest.raises(
        UserError, match=r"signal\.parts\.graph: expected columns that can .*, found graph nodes"
    ):
        fit(UnionSignal({"graph": EgoGraphSignal(MODEL, 4, 2), "text": TextSignal()}), toy_queries(), MASKS)


def test_difficulty_is_for_training_alone() -> None:
    queries, signal = toy_queries(), UnionSignal({"text": TextSignal(), "judge": DifficultySignal(MODEL)})
    features = fit(signal, queries, MASKS)
    np.testing.assert_array_equal(features, fit(TextSignal(), queries, MASKS))
    assert signal.layout_.extras == ("difficulty",)
    np.testing.assert_array_equal(signal.extras(queries.readings)["difficulty"], queries.perplexity[:, 4])
    without = Queries(prompts=queries.prompts).readings  # no language model at routing time
    np.testing.assert_array_equal(signal.transform(without), features[0])
