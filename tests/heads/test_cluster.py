"""The cluster router against scikit-learn's k-means and pandas' groupby."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import log_loss

from prefillroute.errors import UserError
from prefillroute.heads.cluster import ClusterHead, ClusterStack
from prefillroute.heads.layout import Layout
from prefillroute.seeds import derive_seed

N, D, M, BLOBS = 300, 5, 3, 6


@pytest.fixture
def data():
    """Queries in six blobs; a target is right in some of them."""
    x, blob = make_blobs(N, D, centers=BLOBS, cluster_std=0.6, random_state=0)
    rng = np.random.default_rng(0)
    chance = rng.choice([0.05, 0.95], (BLOBS, M))
    correct = (rng.random((N, M)) < chance[blob]).astype(np.float32)
    correct[rng.random((N, M)) < 0.1] = np.nan
    valid = rng.random((1, N)) < 0.2
    features = torch.from_numpy(x.astype(np.float32))[None]
    return features, torch.from_numpy(correct), torch.from_numpy(~valid), torch.from_numpy(valid)


def grouped_accuracy(cluster: np.ndarray, correct: np.ndarray, smoothing: float) -> pd.DataFrame:
    frame = pd.DataFrame(correct)
    groups = frame.groupby(cluster)
    return (groups.sum() + smoothing * frame.mean()) / (groups.count() + smoothing)


def test_equals_kmeans_and_groupby(data):
    features, correct, train, valid = data
    head = ClusterHead(Layout(D), M, num_clusters=[BLOBS], smoothing=4.0).fit(features, correct, train, valid)
    rows = train[0].numpy()
    # Blobs so far apart have one best clustering, whatever the seed.
    theirs = KMeans(BLOBS, n_init=5, random_state=9).fit(features[0].numpy()[rows])
    accuracy = grouped_accuracy(theirs.labels_, correct.numpy()[rows], 4.0)
    expected = accuracy.loc[theirs.predict(features[0].numpy())].to_numpy()
    np.testing.assert_allclose(torch.sigmoid(head(features))[0, 0], expected, atol=1e-5)


def test_number_of_clusters_is_chosen_by_log_loss(data):
    features, correct, train, valid = data
    x, y = features[0].numpy(), correct.numpy()
    rows, held = train[0].numpy(), valid[0].numpy()
    grid = [2, 5, 11, 40]
    head = ClusterHead(Layout(D), M, num_clusters=grid, smoothing=10.0, seed=5).fit(
        features, correct, train, valid
    )
    losses, tables = [], []
    for k in grid:
        theirs = KMeans(k, n_init=3, random_state=derive_seed(5, "k-means", 0, k) % 2**32).fit(x[rows])
        accuracy = grouped_accuracy(theirs.labels_, y[rows], 10.0)
        p = accuracy.loc[theirs.predict(x)].to_numpy()
        seen = ~np.isnan(y[held])
        losses.append(log_loss(y[held][seen], p[held][seen]))
        tables.append(p)
    best = int(np.argmin(losses))
    assert 0 < best < len(grid) - 1, "an end of the grid would prove little"
    stack = head.stack(0)
    assert isinstance(stack, ClusterStack)
    assert stack.used.tolist() == [grid[best]]
    np.testing.assert_allclose(torch.sigmoid(head(features))[0, 0], tables[best], atol=1e-5)


def test_without_outcomes_to_choose_by_clusters_are_few(data):
    features, correct, train, valid = data
    head = ClusterHead(Layout(D), M, num_clusters=[20, 3]).fit(features, correct, train)
    assert head.stack(0).used.tolist() == [3]
    correct[valid[0]] = torch.nan
    head = ClusterHead(Layout(D), M, num_clusters=[20, 3]).fit(features, correct, train, valid)
    assert head.stack(0).used.tolist() == [3]


def test_no_more_clusters_than_distinct_rows():
    features = torch.tensor([[0.0], [0.0], [1.0], [1.0], [5.0]])[None]
    correct = torch.tensor([[1.0], [1.0], [0.0], [torch.nan], [torch.nan]])
    train = torch.ones(1, 5, dtype=torch.bool)
    head = ClusterHead(Layout(1), 1, num_clusters=[8, 16], smoothing=0.0).fit(features, correct, train)
    assert head.stack(0).used.tolist() == [3]
    p = torch.sigmoid(head(features))[0, 0, :, 0]
    # The last cluster has no outcome: the target's overall accuracy.
    np.testing.assert_allclose(p, [1, 1, 0, 0, 2 / 3], atol=1e-5)


def test_bad_hyper_parameters_are_named():
    with pytest.raises(UserError, match=r"head\.num_clusters: .* found \[\]"):
        ClusterHead(Layout(D), M, num_clusters=[])
    with pytest.raises(UserError, match=r"head\.num_clusters: .* found \[0, 8\]"):
        ClusterHead(Layout(D), M, num_clusters=[0, 8])
    with pytest.raises(UserError, match=r"head\.smoothing: .* found -1"):
        ClusterHead(Layout(D), M, smoothing=-1.0)
    with pytest.raises(UserError, match=r"head\.n_init: .* found 0"):
        ClusterHead(Layout(D), M, n_init=0)
