"""The number of factors is found again in tables of which it is known."""

import numpy as np
import pytest
from scipy.special import ndtr

from prefillroute.outcomes.factors.dimension import choose_dimension


@pytest.mark.slow
@pytest.mark.parametrize(("num_factors", "least", "most"), [(0, 0, 0), (2, 2, 3)])
def test_the_dimension_of_a_table_is_found(num_factors, least, most):
    rng = np.random.default_rng(0)
    loadings = rng.normal(0, 1.3, (num_factors, 12))
    probability = ndtr(rng.normal(0, 0.5, 12) + rng.normal(size=(400, num_factors)) @ loadings)
    correct = (rng.random(probability.shape) < probability).astype(float)
    dimension = choose_dimension(correct, np.zeros(400, dtype=int))
    assert least <= dimension.sparest.num_factors <= most
    assert not dimension.at_limit


def test_categories_are_kept_where_they_matter_and_only_there():
    rng = np.random.default_rng(0)
    categories = rng.integers(0, 4, 300)
    probability = ndtr(rng.normal(0, 1.2, (4, 3))[categories])
    correct = (rng.random(probability.shape) < probability).astype(float)
    found = choose_dimension(correct, categories)
    assert found.best.with_categories
    assert [fit.behind for fit in found.fits if fit.model == found.best] == [0.0]
    assert found.gain > 0.01
    assert not choose_dimension(correct, rng.permutation(categories)).best.with_categories
