import numpy as np
import torch
from sklearn.covariance import LedoitWolf

from prefillroute.probes.fisher import fisher_j


def brute_force(features: np.ndarray, labels: np.ndarray) -> float:
    """Equation (13) written down, with scikit-learn's Ledoit-Wolf on rows less their class mean."""
    one, zero = features[labels == 1], features[labels == 0]
    within = np.concatenate([one - one.mean(0), zero - zero.mean(0)])
    shrunk = LedoitWolf(assume_centered=True).fit(within).covariance_
    gap = one.mean(0) - zero.mean(0)
    between = (len(one) / len(labels)) * (len(zero) / len(labels)) * np.outer(gap, gap)
    return float(np.trace(np.linalg.solve(shrunk, between)))


def test_equals_the_formula_and_leaves_missing_labels_out(make_rows) -> None:
    features, labels = make_rows(300, 15)
    rng = np.random.default_rng(0)
    labels[rng.random(300) < 0.3, 1] = np.nan
    labels[rng.random(300) < 0.5, 2:4] = np.nan
    found = fisher_j(torch.from_numpy(features).double(), labels, permutations=0).observed
    for t in range(5):
        kept = ~np.isnan(labels[:, t])
        expected = brute_force(features[kept].astype(np.float64), labels[kept, t])
        np.testing.assert_allclose(found[t], expected, rtol=1e-9)
    single = fisher_j(torch.from_numpy(features), labels, permutations=0).observed
    np.testing.assert_allclose(single, found, rtol=1e-3)


def test_permuted_value_is_what_noise_gives_and_grows_with_dimension(make_rows) -> None:
    features, labels = make_rows(500, 40)
    rows = torch.from_numpy(features).double()
    found = fisher_j(rows, labels, permutations=20, seed=3)
    assert (found.observed > 2 * found.permuted).all()
    # Without shrinkage its expectation is about D / N; shrinkage lowers it.
    assert (found.permuted < 40 / 500 * 1.3).all()
    narrow = fisher_j(rows[:, :5], labels, permutations=20, seed=3)
    assert (narrow.permuted < found.permuted).all()
    again = fisher_j(rows, labels, permutations=20, seed=3)
    np.testing.assert_array_equal(found.permuted, again.permuted)


def test_one_class_no_labels_and_constant_features_are_null(make_rows) -> None:
    features, labels = make_rows(100, 4)
    labels[:, 0], labels[:, 1], labels[:, 2] = 1, 0, np.nan
    found = fisher_j(torch.from_numpy(features).double(), labels, permutations=2)
    assert np.isnan(found.observed).tolist() == [True, True, True, False, False]
    assert np.isnan(found.permuted).tolist() == [True, True, True, False, False]
    assert np.isnan(fisher_j(torch.zeros(100, 4), labels, permutations=2).observed).all()
