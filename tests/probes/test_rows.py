import numpy as np
import torch

from prefillroute.probes.rows import GroupedRows


def test_moments_of_any_union_of_cells_are_those_of_its_rows(make_rows) -> None:
    activations, _ = make_rows(200, 12)
    cell = np.random.default_rng(0).integers(-1, 4, size=200)
    rows = GroupedRows(activations, cell)
    for cells in ([0], [1, 3], [0, 1, 2, 3]):
        members = activations[np.isin(cell, cells)].astype(np.float64)
        moments = rows.moments(cells)
        assert moments.count == len(members)
        np.testing.assert_allclose(moments.mean, members.mean(0), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(moments.covariance, np.cov(members.T, ddof=0), rtol=1e-4, atol=1e-5)


def test_projection_equals_plain_matrix_product(make_rows) -> None:
    activations, _ = make_rows(200, 12)
    cell = np.random.default_rng(0).integers(0, 3, size=200)
    rows = GroupedRows(activations, cell)
    matrix = torch.randn(12, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mean = rows.moments([0, 2]).mean
    projected = rows.project([0, 2], mean, matrix)
    order = np.concatenate([np.flatnonzero(cell == 0), np.flatnonzero(cell == 2)])
    np.testing.assert_allclose(projected, (activations[order] - mean.numpy()) @ matrix.numpy(), atol=1e-4)


def test_a_held_out_fold_with_absurd_values_changes_no_bit_of_the_rest(make_rows) -> None:
    activations, _ = make_rows(200, 12)
    cell = np.repeat(np.arange(4), 50)
    before = GroupedRows(activations, cell).moments([0, 1, 2])
    spoiled = activations.copy()
    spoiled[cell == 3] = 1e18
    after = GroupedRows(spoiled, cell).moments([0, 1, 2])
    assert torch.equal(before.scatter, after.scatter)
    assert torch.equal(before.mean, after.mean)


def test_an_empty_cell_counts_nothing(make_rows) -> None:
    activations, _ = make_rows(60, 5)
    cell = np.where(np.arange(60) < 30, 0, 2)
    rows = GroupedRows(activations, cell)
    assert rows.moments([1]).count == 0
    assert torch.equal(rows.moments([0, 1, 2]).scatter, rows.moments([0, 2]).scatter)
