"""The paper's own figures, and denominators that vanish."""

import numpy as np
import pytest

from prefillroute.metrics.ratio import (
    cost_savings,
    headroom_captured,
    ratio,
    relative_gain,
    relative_reduction,
)


def test_figures_of_the_paper_close() -> None:
    # Checks at the end of DESIGN section 5, from the paper's tables.
    assert 100 * relative_gain(0.4377, 0.3817) == pytest.approx(14.67, abs=0.005)
    assert 100 * relative_reduction(0.3437, 0.7411) == pytest.approx(53.62, abs=0.005)
    assert 100 * headroom_captured(0.654 + 0.109, 0.654, 0.893) == pytest.approx(45.6, abs=0.05)
    # The Mixed pool's 5_emb_MT_percentile, with the minus sign that the paper lost.
    assert 100 * headroom_captured(0.7627, 0.822, 0.894) == pytest.approx(-82.4, abs=0.5)


def test_a_vanishing_denominator_is_undefined() -> None:
    np.testing.assert_array_equal(ratio([1.0, 1.0], [0.0, 2.0]), [np.nan, 0.5])
    assert np.isnan(headroom_captured(0.9, 0.8, 0.8))
    assert np.isnan(cost_savings(0.0, 0.0))


def test_savings_have_no_smallest_price() -> None:
    assert cost_savings(1e-15, 4e-15) == pytest.approx(0.75)
