import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from prefillroute.probes.geometry import anisotropy, effective_dimension


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 30), width=st.integers(1, 12))
def test_anisotropy_equals_the_mean_over_pairs(seed: int, rows: int, width: int) -> None:
    activations = np.random.default_rng(seed).normal(size=(rows, width)) + 0.5
    pairs = cosine_similarity(activations)[np.triu_indices(rows, 1)]
    np.testing.assert_allclose(anisotropy(activations), pairs.mean(), atol=1e-10)


def test_anisotropy_has_no_answer_below_two_rows_with_a_direction() -> None:
    assert np.isnan(anisotropy(np.ones((1, 3))))
    assert np.isnan(anisotropy(np.array([[1.0, 0.0], [0.0, 0.0]])))
    assert anisotropy(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])) == 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 10))
def test_effective_dimension_equals_the_eigenvalue_formula(seed: int, width: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(30, width)) * np.arange(1, width + 1)
    covariance = np.atleast_2d(np.cov(rows.T))
    values = np.linalg.eigvalsh(covariance)
    found = effective_dimension(torch.from_numpy(covariance))
    np.testing.assert_allclose(found, values.sum() ** 2 / (values**2).sum())
    assert 1 - 1e-9 <= found <= width + 1e-9


def test_effective_dimension_of_a_sphere_and_of_a_point() -> None:
    assert effective_dimension(torch.eye(7)) == 7
    assert np.isnan(effective_dimension(torch.zeros(3, 3)))
