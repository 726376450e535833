"""Small folded data with something to learn."""

from collections.abc import Callable

import pytest
import torch

from prefillroute.data.folded import FoldedData


@pytest.fixture
def folded() -> Callable[..., FoldedData]:
    """(groups, rows, features, targets, seed, missing) -> FoldedData with `groups - 1` folds."""

    def make(
        groups: int = 3,
        rows: int = 180,
        features: int = 6,
        targets: int = 3,
        seed: int = 0,
        missing: float = 0.1,
    ) -> FoldedData:
        rng = torch.Generator().manual_seed(seed)
        x = torch.randn(rows, features, generator=rng)
        weight = torch.randn(features, targets, generator=rng)
        correct = (torch.rand(rows, targets, generator=rng) < torch.sigmoid(x @ weight)).float()
        correct[torch.rand(rows, targets, generator=rng) < missing] = torch.nan
        fold = torch.arange(rows) % max(groups - 1, 1)
        held = torch.stack([torch.zeros(rows, dtype=torch.bool)] + [fold == k for k in range(groups - 1)])
        valid = (torch.rand(groups, rows, generator=rng) < 0.2) & ~held
        return FoldedData(x.expand(groups, rows, features).clone(), correct, ~held & ~valid, valid)

    return make
