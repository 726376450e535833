import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block
from prefillroute.layers.features import SCALES, BlockTransform, fit_transform_groups
from prefillroute.layers.source import ArraySource, RowSubset
from prefillroute.spec import restore, store

BLOCKS = (Block("toy", (3,), "mean", 6), Block("toy", (4,), "last", 10), Block("toy", (3,), "mean", 3))


def group_masks(num_rows: int, folds: np.ndarray) -> np.ndarray:
    """Group 0 trains on rows below 0.9 N, the others without a fold of those."""
    training = np.arange(num_rows) < 0.9 * num_rows
    return np.stack([training, *(training & (folds != fold) for fold in range(5))])


@pytest.mark.parametrize("scale", SCALES)
def test_every_group_equals_scikit_learn_on_its_own_rows(scale: str, make_toy) -> None:
    toy = make_toy(400)
    masks = group_masks(400, toy.task.folds)
    features, transforms = fit_transform_groups(toy.source, BLOCKS, masks, scale)
    assert features.shape == (6, 400, 19)
    assert features.dtype == np.float32
    start = 0
    for block in BLOCKS:
        activations = toy.source.read(block.layers[0], block.pooling).astype(np.float64)
        for group, mask in enumerate(masks):
            scaler = StandardScaler().fit(activations[mask])
            pca = PCA(block.dim, svd_solver="full").fit(scaler.transform(activations[mask]))
            expected = pca.transform(scaler.transform(activations))
            if scale == "component":
                expected /= expected[mask].std(0)
            elif scale == "leading":
                expected /= expected[mask, 0].std()
            elif scale == "block":
                expected /= np.sqrt((expected[mask] ** 2).mean())
            np.testing.assert_allclose(features[group, :, start : start + block.dim], expected, atol=2e-3)
        start += block.dim
    for group in range(6):
        np.testing.assert_allclose(transforms[group].transform(toy.source), features[group], atol=1e-5)


def test_rows_outside_a_group_leave_no_trace_in_it(make_toy) -> None:
    toy = make_toy(400)
    masks = group_masks(400, toy.task.folds)
    before = fit_transform_groups(toy.source, BLOCKS, masks)[1][2].weights
    for array in toy.source.arrays.values():
        array[~masks[2]] = 1e6
    after = fit_transform_groups(toy.source, BLOCKS, masks)[1][2].weights
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stored_transform_serves_a_single_query(make_toy) -> None:
    toy = make_toy(200)
    features, (transform,) = fit_transform_groups(toy.source, BLOCKS, np.ones((1, 200), dtype=bool))
    restored = restore(*store(transform), BlockTransform)
    one = restored.transform({"toy": RowSubset(toy.source, np.array([17]))})
    np.testing.assert_allclose(one[0], features[0, 17], atol=1e-5)
    assert restored.num_features == 19
    with pytest.raises(UserError, match=r"block 1 \(toy/last/4/pca11\)"):
        BlockTransform((BLOCKS[0], Block("toy", (4,), "last", 11)), transform.means, transform.weights)


def test_several_layers_and_several_encoders(make_toy) -> None:
    one, two = make_toy(100, seed=1), make_toy(100, width=30, seed=2)
    two.source.encoder = "other"
    blocks = (Block("toy", (2, 4), "mean", 5), Block("other", (1,), "last", 4))
    features, (transform,) = fit_transform_groups(
        {"toy": one.source, "other": two.source}, blocks, np.ones((1, 100), dtype=bool)
    )
    assert [len(mean) for mean in transform.means] == [48, 30]
    assert features.shape == (1, 100, 9)


def test_too_few_rows_for_the_dimension_give_zero_columns_and_constant_layers_zero_features(make_toy) -> None:
    toy = make_toy(50)
    masks = np.stack([np.ones(50, dtype=bool), np.arange(50) < 5])
    blocks = (Block("toy", (3,), "mean", 10), Block("toy", (0,), "last", 4))
    for scale in SCALES:
        features, _ = fit_transform_groups(toy.source, blocks, masks, scale)
        assert np.isfinite(features).all()
        assert (features[1, :, 4:10] == 0).all()
        assert (features[1, :5, :4].std(0) > 0).all()
        assert (features[:, :, 10:] == 0).all()


def test_fewer_rows_than_columns_keep_unit_size_under_whitening() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    source = ArraySource("toy", 1, {(1, "mean"): rows})
    features, _ = fit_transform_groups(
        source, (Block("toy", (1,), "mean", 30),), np.ones((1, 20), dtype=bool), "component"
    )
    np.testing.assert_allclose(features[0, :, :19].std(0), 1, rtol=1e-3)
    assert (features[0, :, 19:] == 0).all()


@pytest.mark.parametrize("scale", SCALES)
def test_directions_without_variance_give_zero_columns(scale: str) -> None:
    rows = np.ones((200, 8), dtype=np.float32)
    rows[:, [2, 5]] = np.random.default_rng(0).normal(size=(200, 2))
    source = ArraySource("toy", 1, {(1, "mean"): rows})
    features, _ = fit_transform_groups(
        source, (Block("toy", (1,), "mean", 5),), np.ones((1, 200), dtype=bool), scale
    )
    assert (features[0, :, :2].std(0) > 0.01).all()
    assert (features[0, :, 2:] == 0).all()


def test_bad_arguments_are_refused(make_toy) -> None:
    toy = make_toy(50)
    with pytest.raises(UserError, match=r"signal\.scale: expected .*, found 'unit'"):
        fit_transform_groups(toy.source, BLOCKS, np.ones((1, 50), dtype=bool), "unit")
    with pytest.raises(UserError, match="at least 2"):
        fit_transform_groups(toy.source, BLOCKS, np.eye(2, 50, dtype=bool))
