"""Importance of choices: on functions whose variance is known, and on those without any."""

import itertools

import numpy as np
import pytest

from prefillroute.reports.importance import FEW_TRIALS, main_effects

GRID = list(itertools.product(range(5), "abcd", range(4)))


def test_shares_are_the_variances_of_the_terms() -> None:
    """Over a full grid each term's share is its variance over that of the sum, in closed form."""
    choices = [{"x": str(x), "name": name, "unused": str(z)} for x, name, z in GRID]
    height = {"a": 0.0, "b": 3.0, "c": 1.0, "d": 0.0}
    first = np.array([2.0 * x for x, _, _ in GRID])
    second = np.array([height[name] for _, name, _ in GRID])
    product = (first - first.mean()) * (
        second - second.mean()
    )  # an interaction, of which no main effect is left
    found = main_effects(choices, np.stack([first + second, -second, first + product], axis=1))
    total = first.var() + second.var()
    wanted = {
        "x": [first.var() / total, 0.0, first.var() / (first + product).var()],
        "name": [second.var() / total, 1.0, 0.0],
        "unused": [0.0, 0.0, 0.0],
    }
    assert list(found) == ["x", "name", "unused"]
    for key, shares in wanted.items():
        assert found[key] == pytest.approx(shares, abs=0.03)


def test_nothing_is_said_of_few_trials_or_of_what_does_not_vary() -> None:
    rows = [{"x": str(x)} for x in range(FEW_TRIALS)]
    values = np.arange(float(FEW_TRIALS))[:, None]
    assert list(main_effects(rows, values)) == ["x"]
    assert main_effects(rows[1:], values[1:]) == {}
    assert main_effects(rows, np.hstack([values, np.ones_like(values)])) == {}


def test_a_choice_that_never_varies_explains_nothing() -> None:
    rows = [{"x": str(x), "same": "1", "name": "only"} for x in range(12)]
    found = main_effects(rows, np.arange(12.0)[:, None])
    assert found["same"] == found["name"] == [0.0]
    assert found["x"][0] == pytest.approx(1.0)
