"""Embedding, perplexity and unions: against scikit-learn, and each group on its own rows only."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.source import ArraySource
from prefillroute.signals.category import CategorySignal
from prefillroute.signals.embedding import EmbeddingSignal
from prefillroute.signals.inputs import Signal, SignalInputs
from prefillroute.signals.knn import KNNSignal
from prefillroute.signals.perplexity import PerplexitySignal
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.signals.text import TextSignal
from prefillroute.signals.union import UnionSignal

N, M = 60, 3
MASKS = np.stack([np.arange(N) < 50, np.arange(N) % 2 == 0])


def make_inputs(seed: int = 0) -> SignalInputs:
    rng = np.random.default_rng(seed)
    stack = {"mean": rng.normal(size=(N, 3, 8)).astype(np.float32)}
    return SignalInputs(
        categories=np.array([f"c{i % 4}" for i in range(N)], dtype=object),
        benchmarks=np.array([f"b{i % 2}" for i in range(N)], dtype=object),
        prompts=np.array([f"How many? {i} * {i}" for i in range(N)], dtype=object),
        activations={"toy": ArraySource.from_stack("toy", stack)},
        choices=(LayerChoice((Block("toy", (1,), "mean", 4),), {"a": 0}),),
        embedding=rng.normal(size=(N, 6)).astype(np.float32),
        perplexity=np.exp(rng.normal(size=(N, 4))).astype(np.float32),
        correct=(rng.random((N, M)) < 0.5).astype(float),
    )


def union() -> UnionSignal:
    parts: dict[str, Signal] = {
        "knn": KNNSignal(),
        "prefill": PrefillSignal(),
        "text": TextSignal(),
        "category": CategorySignal("benchmark"),
    }
    return UnionSignal(parts)


SIGNALS = {
    "embedding": EmbeddingSignal, "pca": lambda: EmbeddingSignal(3), "perplexity": PerplexitySignal, "union": union
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNALS)
def test_group_zero_serves_new_queries(name: str) -> None:
    signal, inputs = SIGNALS[name](), make_inputs()
    features = signal.fit_transform(inputs, MASKS)
    assert features.shape[:2] == MASKS.shape
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    outside = ~MASKS[0]  # a training row finds itself as its neighbour when it comes as a new query
    np.testing.assert_allclose(signal.transform(inputs)[outside], features[0, outside], atol=1e-5)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_row_outside_a_group_changes_nothing_in_it(name: str) -> None:
    inputs = make_inputs()
    before = SIGNALS[name]().fit_transform(inputs, MASKS)
    other = make_inputs(seed=1)
    row = 55  # in neither group
    assert not MASKS[:, row].any()
    for field in ("embedding", "perplexity", "correct", "prompts", "categories", "benchmarks"):
        getattr(inputs, field)[row] = getattr(other, field)[row] if field not in ("prompts",) else "else"
    after = SIGNALS[name]().fit_transform(inputs, MASKS)
    rest = np.arange(N) != row
    np.testing.assert_array_equal(before[:, rest], after[:, rest])


def test_pca_is_that_of_scikit_learn_up_to_one_scale() -> None:
    inputs = make_inputs()
    features = EmbeddingSignal(3).fit_transform(inputs, MASKS)
    for group, mask in enumerate(MASKS):
        wanted = PCA(3, svd_solver="full").fit(inputs.embedding[mask]).transform(inputs.embedding)
        ratio = np.abs(features[group] / wanted)
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)
        assert np.sqrt((features[group][mask] ** 2).mean()) == pytest.approx(1, rel=1e-5)


def test_union_lays_out_common_columns_first_then_each_targets_own() -> None:
    inputs = make_inputs()
    signal = union()
    features = signal.fit_transform(inputs, MASKS)
    parts = {name: part.fit_transform(inputs, MASKS) for name, part in union().parts.items()}
    common = np.concatenate([parts["prefill"], parts["text"], parts["category"]], axis=-1)
    np.testing.assert_array_equal(features[..., : common.shape[-1]], common)
    np.testing.assert_array_equal(features[..., common.shape[-1] :], parts["knn"])
    assert signal.own_features == 50
    assert signal.needs == {"embedding", "activations"}


def test_two_parts_with_own_columns_stay_together_by_target() -> None:
    inputs = make_inputs()
    features = UnionSignal({"a": KNNSignal(), "b": KNNSignal(kernel="gaussian")}).fit_transform(inputs, MASKS)
    first, second = (KNNSignal(kernel=k).fit_transform(inputs, MASKS) for k in ("inverse", "gaussian"))
    np.testing.assert_array_equal(features[..., 100:150], first[..., 50:100])
    np.testing.assert_array_equal(features[..., 150:200], second[..., 50:100])


def test_mistakes_name_the_key() -> None:
    with pytest.raises(UserError, match=r"signal\.dim: .*, found 0"):
        EmbeddingSignal(0)
    with pytest.raises(UserError, match=r"signal\.dim: expected at most 6, .*, found 7"):
        EmbeddingSignal(7).fit_transform(make_inputs(), MASKS)
    with pytest.raises(UserError, match=r"signal\.parts: expected at least two signals, found 1"):
        UnionSignal({"text": TextSignal()})
    with pytest.raises(UserError, match=r"signal\.column: .*, found 'prompt'"):
        CategorySignal("prompt")
