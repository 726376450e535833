"""Baselines against their definitions."""

import numpy as np
import pytest

from prefillroute.routing.baselines import constant_confidence


def test_constant_confidence_is_the_accuracy_of_what_was_observed():
    nan = np.nan
    correct = np.array([[1.0, nan, nan, 0.5], [0.0, nan, 1.0, nan], [1.0, nan, nan, 0.0]])
    # The second target has no outcome: it gets the mean over all six that there are.
    assert constant_confidence(correct) == pytest.approx([2 / 3, 3.5 / 6, 1.0, 0.25])
    assert constant_confidence(np.full((3, 2), nan)) == pytest.approx([0.0, 0.0])
    assert constant_confidence(np.empty((0, 2))) == pytest.approx([0.0, 0.0])
