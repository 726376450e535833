"""The kNN vote and score against scikit-learn's neighbours."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.heads.neighbour_vote import NeighbourVote
from prefillroute.semantic.neighbour_statistics import NAMES, neighbour_statistics

MEMORY, Q, M, COMMON = 150, 40, 3, 4


@pytest.mark.parametrize(
    ("column", "k", "weights"),
    [
        ("ratio_k25", 25, "uniform"),
        ("weighted_k25", 25, lambda distance: 1 / (distance + 1e-6)),
        ("ratio_k5", 5, "uniform"),
    ],
)
def test_equals_sklearn_neighbours(column, k, weights):
    rng = np.random.default_rng(0)
    memory, queries = rng.standard_normal((MEMORY, 6)), rng.standard_normal((Q, 6))
    correct = (rng.random((MEMORY, M)) < 1 / (1 + np.exp(-9 * memory[:, :M]))).astype(float)
    distances, rows = NearestNeighbors(n_neighbors=100).fit(memory).kneighbors(queries)
    statistics = neighbour_statistics(distances, rows, correct).reshape(Q, -1)
    features = torch.from_numpy(np.hstack([rng.standard_normal((Q, COMMON)), statistics])).float()[None]
    head = NeighbourVote(Layout(features.shape[2], NAMES), M, num_members=2, column=column).fit(
        features, torch.zeros(Q, M), torch.ones(1, Q, dtype=torch.bool)
    )
    p = torch.sigmoid(head(features)).numpy()
    assert p.shape == (1, 2, Q, M)
    theirs = KNeighborsRegressor(n_neighbors=k, weights=weights).fit(memory, correct).predict(queries)
    assert (theirs == 1).any(), "a unanimous vote is to be among them"
    np.testing.assert_allclose(p[0, 1], theirs.clip(1 / (k + 2), 1 - 1 / (k + 2)), atol=1e-5)


def vote(**changes):
    return NeighbourVote(Layout(3, ("ratio_k5", "nearest_k5", "entropy")), 1, **changes)


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(
        UserError,
        match=r"expected a column 'ratio_k25' for each target, found ratio_k5, nearest_k5, entropy; use signal=knn, or "
        r"set head.column to one of ratio_k5, nearest_k5, entropy$",
    ):
        vote()
    with pytest.raises(UserError, match=r"'ratio_k25' for each target, found none; use signal=knn$"):
        NeighbourVote(Layout(384), 33)
    with pytest.raises(
        UserError, match=r"head\.column: expected a share of k neighbours, .* found 'entropy'"
    ):
        vote(column="entropy")


def test_a_column_of_other_values_is_refused():
    train = torch.tensor([[True, True, False]])
    features = torch.tensor([[[0.2, 0, 0], [1.0, 0, 0], [9.0, 0, 0]]])
    vote(column="ratio_k5").fit(features, torch.zeros(3, 1), train)  # the row outside is not looked at
    with pytest.raises(
        UserError, match=r"expected shares in \[0, 1\], found values from 0\.2 to 9 in 'ratio_k5'"
    ):
        vote(column="ratio_k5").fit(features, torch.zeros(3, 1), ~torch.zeros_like(train))
