import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from prefillroute.probes import pca
from prefillroute.probes.pca import fit_scaled_pca, leading_eigenvectors
from prefillroute.probes.rows import GroupedRows


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_equal_scikit_learn(make_rows, dtype: torch.dtype) -> None:
    activations, _ = make_rows(500, 30)
    rows = GroupedRows(activations, np.random.default_rng(0).integers(0, 5, size=500))
    fitted = fit_scaled_pca(rows.moments(range(5)), 8, dtype=dtype)
    scaled = StandardScaler().fit_transform(activations.astype(np.float64))
    theirs = PCA(8, svd_solver="full").fit(scaled)
    # scikit-learn makes the largest loading of each component positive, and so do we.
    np.testing.assert_allclose(fitted.components.T, theirs.components_, atol=2e-3)
    np.testing.assert_allclose(fitted.variances, theirs.explained_variance_ * 499 / 500, rtol=1e-3)
    scores = rows.project(range(5), fitted.mean, fitted.matrix)
    np.testing.assert_allclose(scores, theirs.transform(scaled)[rows.order], atol=5e-3)


def test_constant_columns_get_scale_one_and_no_loading(make_rows) -> None:
    activations, _ = make_rows(100, 10)
    activations[:, 3] = 1234.567
    activations[:, 7] = 0.0
    fitted = fit_scaled_pca(GroupedRows(activations, np.zeros(100, int)).moments([0]), 9)
    assert fitted.scale[3] == fitted.scale[7] == 1
    assert (fitted.components[[3, 7]] == 0).all()
    assert torch.isfinite(fitted.matrix).all()
    assert not fitted.constant


def test_rows_all_alike_are_called_constant() -> None:
    alike = np.tile(np.linspace(-3, 700, 10, dtype=np.float32), (50, 1))
    assert fit_scaled_pca(GroupedRows(alike, np.arange(50) % 5).moments(range(5)), 4).constant


def test_dimension_is_cut_to_rows_and_width(make_rows) -> None:
    activations, _ = make_rows(6, 40)
    assert fit_scaled_pca(GroupedRows(activations, np.zeros(6, int)).moments([0]), 300).components.shape == (
        40,
        5,
    )
    activations, _ = make_rows(100, 7)
    assert fit_scaled_pca(
        GroupedRows(activations, np.zeros(100, int)).moments([0]), 300
    ).components.shape == (7, 7)


def test_subspace_iteration_finds_the_leading_subspace_of_a_wide_matrix(monkeypatch) -> None:
    monkeypatch.setattr(pca, "DENSE_UP_TO", 100)
    generator = torch.Generator().manual_seed(1)
    basis = torch.linalg.qr(torch.randn(400, 400, dtype=torch.float64, generator=generator)).Q
    spectrum = torch.arange(1, 401, dtype=torch.float64) ** -1.5
    matrix = basis * spectrum @ basis.T
    vectors, values = leading_eigenvectors(matrix, 30)
    torch.testing.assert_close(values, spectrum[:30], rtol=1e-3, atol=0)
    overlap = (basis[:, :20].T @ vectors[:, :20]).abs().diagonal()
    assert overlap.min() > 0.999
    again, _ = leading_eigenvectors(matrix, 30)
    assert torch.equal(vectors, again)
    warm, _ = leading_eigenvectors(matrix, 30, start=vectors)
    assert (basis[:, :20].T @ warm[:, :20]).abs().diagonal().min() > 0.999
