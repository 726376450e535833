import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from prefillroute.probes.logistic import fit_logistic


def reference(features: np.ndarray, labels: np.ndarray, regularisation: float) -> tuple[np.ndarray, float]:
    kept = ~np.isnan(labels)
    model = LogisticRegression(C=regularisation, tol=1e-10, max_iter=10_000)
    model.fit(features[kept], labels[kept])
    return model.coef_[0], model.intercept_[0]


@pytest.mark.parametrize("regularisation", [0.01, 1.0, 100.0])
def test_weights_equal_scikit_learn_for_every_target_and_dimension(make_rows, regularisation: float) -> None:
    features, labels = make_rows(400, 12)
    fit = fit_logistic(
        torch.from_numpy(features).double(),
        torch.from_numpy(labels),
        regularisation=regularisation,
        dims=(3, 7, 12),
        tolerance=1e-10,
    )
    for p, dim in enumerate((3, 7, 12)):
        assert (fit.weights[dim:, p] == 0).all()
        for t in range(labels.shape[1]):
            weights, bias = reference(features[:, :dim].astype(np.float64), labels[:, t], regularisation)
            np.testing.assert_allclose(fit.weights[:dim, p, t], weights, atol=1e-4, rtol=1e-3)
            np.testing.assert_allclose(fit.bias[p, t], bias, atol=1e-3, rtol=1e-3)


def test_float32_gives_the_same_logits(make_rows) -> None:
    features, labels = make_rows(400, 12)
    exact = fit_logistic(torch.from_numpy(features).double(), torch.from_numpy(labels), tolerance=1e-10)
    single = fit_logistic(torch.from_numpy(features), torch.from_numpy(labels), tolerance=1e-4)
    expected = exact.logits(torch.from_numpy(features).double()).float()
    torch.testing.assert_close(single.logits(torch.from_numpy(features)), expected, atol=2e-2, rtol=1e-2)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.floats(0, 0.6))
def test_missing_labels_are_as_if_the_rows_were_absent(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(120, 6)) * [9, 3, 1, 1, 0.1, 0.01]
    labels = (rng.random((120, 3)) < 0.4).astype(np.float64)
    labels[rng.random(labels.shape) < missing] = np.nan
    labels[:2] = [[0, 0, 0], [1, 1, 1]]
    fit = fit_logistic(torch.from_numpy(features), torch.from_numpy(labels), tolerance=1e-10)
    for t in range(3):
        weights, bias = reference(features, labels[:, t], 1.0)
        np.testing.assert_allclose(fit.weights[:, 0, t], weights, atol=1e-4, rtol=1e-3)
        np.testing.assert_allclose(fit.bias[0, t], bias, atol=1e-3)


def test_one_class_and_unlabelled_targets_stay_finite_and_harm_no_other(make_rows) -> None:
    features, labels = make_rows(200, 6, 5)
    spoiled = labels.copy()
    spoiled[:, 1], spoiled[:, 2], spoiled[:, 3] = 1.0, 0.0, np.nan
    rows = torch.from_numpy(features).double()
    fit = fit_logistic(rows, torch.from_numpy(spoiled), tolerance=1e-10)
    clean = fit_logistic(rows, torch.from_numpy(labels), tolerance=1e-10)
    assert (fit.weights[:, 0, 1:4] == 0).all()
    assert torch.isfinite(fit.bias).all()
    assert fit.bias[0, 1] > 4 > 0 > -4 > fit.bias[0, 2]
    assert fit.bias[0, 3] == 0
    torch.testing.assert_close(fit.weights[:, :, [0, 4]], clean.weights[:, :, [0, 4]], atol=1e-4, rtol=1e-3)


def test_separable_classes_and_constant_features_converge() -> None:
    features = torch.cat([torch.linspace(-1, 1, 100)[:, None] * 1000, torch.zeros(100, 1)], dim=1)
    labels = (features[:, :1] > 0).float()
    fit = fit_logistic(features, labels)
    assert torch.isfinite(fit.weights).all()
    assert ((fit.logits(features)[:, 0] > 0) == (labels > 0.5)).all()
    assert fit.weights[1] == 0


def test_pca_coordinates_need_few_iterations(make_rows) -> None:
    features, labels = make_rows(2000, 60, 8)
    centred = features - features.mean(0)
    _, _, axes = np.linalg.svd(centred / centred.std(0), full_matrices=False)
    scores = torch.from_numpy((centred / centred.std(0) @ axes.T).astype(np.float32))
    fit = fit_logistic(scores, torch.from_numpy(labels), dims=(10, 30, 60), tolerance=0.05)
    assert fit.iterations <= 8
    assert fit.decrement.max() <= 0.05
