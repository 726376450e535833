"""The exact frontier against a brute-force sweep, with ties planted."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.routing.frontier import RESOLUTION, Frontier, exact_frontier
from prefillroute.routing.policies.lambda_policy import LambdaPolicy

Case = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]


def chosen_by_hand(case: Case, lambda_: float) -> list[int]:
    """Equation 3 spelled out, one query at a time, in plain Python floats."""
    confidence, cost, _, (low, high) = case
    choice = []
    for p, raw in zip(confidence.tolist(), cost.tolist(), strict=True):
        # Costs that differ by rounding alone are one cost.
        c = [min(other for other in raw if abs(other - value) <= 1e-9 * max(raw)) for value in raw]
        relative = [(value - low) / (high - low) if high > low else 0.0 for value in c]
        score = [(1.0 - lambda_) * a - lambda_ * b for a, b in zip(p, relative, strict=True)]
        choice.append(min(range(len(p)), key=lambda m: (-score[m], c[m], m)))
    return choice


def crossings(case: Case) -> list[float]:
    """Every lambda in (0, 1) at which two targets of one query score alike, in exact arithmetic."""
    confidence, cost, _, (low, high) = case
    found = set()
    for p, raw in zip(confidence.tolist(), cost.tolist(), strict=True):
        # Costs that differ by rounding alone are one cost.
        c = [min(other for other in raw if abs(other - value) <= 1e-9 * max(raw)) for value in raw]
        relative = [(value - low) / (high - low) if high > low else 0.0 for value in c]
        lines = [(Fraction(a), Fraction(b)) for a, b in zip(p, relative, strict=True)]
        for (p_i, c_i), (p_j, c_j) in itertools.combinations(lines, 2):
            slope = (p_i - p_j) + (c_i - c_j)
            if slope != 0 and 0 < (at := (p_i - p_j) / slope) < 1:
                found.add(float(at))
    return sorted(found)


def decided(case: Case, lambda_: float) -> bool:
    """Whether no query's two best scores at lambda are within rounding of each other (exact ties are decided)."""
    confidence, cost, _, (low, high) = case
    for p, raw in zip(confidence.tolist(), cost.tolist(), strict=True):
        # Costs that differ by rounding alone are one cost.
        c = [min(other for other in raw if abs(other - value) <= 1e-9 * max(raw)) for value in raw]
        relative = [(value - low) / (high - low) if high > low else 0.0 for value in c]
        scores = [(1.0 - lambda_) * a - lambda_ * b for a, b in set(zip(p, relative, strict=True))]
        best, *rest = sorted(scores, reverse=True)
        if rest and best - rest[0] < 1e-14 * (1.0 + max(map(abs, relative))):
            return False
    return True


def assert_exact(case: Case, frontier: Frontier) -> None:
    _, cost, correct, _ = case
    rows = np.arange(len(cost))
    assert frontier.lambda_low[0] == 0.0
    assert frontier.lambda_high[-1] == 1.0
    np.testing.assert_array_equal(frontier.lambda_low[1:], frontier.lambda_high[:-1])
    assert (frontier.lambda_low < frontier.lambda_).all()
    assert (frontier.lambda_ < frontier.lambda_high).all()
    # Each row is what the argmax at its lambda gives.
    for index, lambda_ in enumerate(frontier.lambda_.tolist()):
        choice = chosen_by_hand(case, lambda_)
        assert frontier.cost_usd[index] == pytest.approx(cost[rows, choice].mean(), rel=1e-12, abs=1e-300)
        assert frontier.accuracy[index] == pytest.approx(correct[rows, choice].mean(), rel=1e-12, abs=1e-12)
    # And nothing is left out: between any two neighbouring crossings the sweep gives the row that covers it.
    ends = [0.0, *crossings(case), 1.0]
    for left, right in itertools.pairwise(ends):
        middle = (left + right) / 2
        if right - left < 1e-9 or not decided(case, middle):
            continue
        index = np.searchsorted(frontier.lambda_low, middle, side="right") - 1
        choice = chosen_by_hand(case, middle)
        assert frontier.cost_usd[index] == pytest.approx(cost[rows, choice].mean(), rel=1e-12, abs=1e-300)
        assert frontier.accuracy[index] == pytest.approx(correct[rows, choice].mean(), rel=1e-12, abs=1e-12)


@st.composite
def cases(draw: st.DrawFn, lattice: bool) -> Case:
    """A few queries x targets; on a lattice ties of confidence, cost and crossing are frequent, also by one ulp."""
    num_queries, num_targets = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    shape = (num_queries, num_targets)
    if lattice:
        confidences = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 0.5, 0.7, np.nextafter(0.7, 1), 1.0])
        costs = st.sampled_from([0.0, 1e-4, 2e-4, 3e-4, 1e-4 + 2e-4, np.nextafter(3e-4, 1), 5e-4])
    else:
        confidences = st.floats(0.0, 1.0)
        costs = st.floats(0.0, 0.01)
    table = [
        np.array(draw(st.lists(kind, min_size=num_queries * num_targets, max_size=num_queries * num_targets)))
        for kind in (confidences, costs, st.sampled_from([0.0, 1.0, 0.25]))
    ]
    confidence, cost, correct = (column.reshape(shape) for column in table)
    span = draw(st.sampled_from(["own", "equal", "narrow"]))
    low, high = float(cost.min()), float(cost.max())
    cost_range = {"own": (low, high), "equal": (low, low), "narrow": (1e-4, 2e-4)}[span]
    return confidence, cost, correct, cost_range


@settings(max_examples=60, deadline=None)
@given(cases(lattice=True))
def test_equals_brute_force_with_planted_ties(case: Case) -> None:
    assert_exact(case, exact_frontier(*case))


@settings(max_examples=60, deadline=None)
@given(cases(lattice=False))
def test_equals_brute_force_on_arbitrary_floats(case: Case) -> None:
    _, _, _, (low, high) = case
    if 0 < high - low < 1e-300:  # normalised costs would leave float64
        return
    assert_exact(case, exact_frontier(*case))


@pytest.mark.parametrize("seed", range(3))
def test_equals_brute_force_on_ordinary_tables(seed: int) -> None:
    generator = np.random.default_rng(seed)
    confidence, cost = generator.random((40, 7)), generator.lognormal(-7, 1, (40, 7))
    case = (confidence, cost, (generator.random((40, 7)) < 0.5) * 1.0, (float(cost.min()), float(cost.max())))
    frontier = exact_frontier(*case)
    assert_exact(case, frontier)
    assert len(frontier) == 1 + len(frontier.query)  # no two queries switch at the same place
    assert (np.diff(frontier.cost_usd) <= 0).all()


def test_reweighting_equals_repeating_the_queries() -> None:
    generator = np.random.default_rng(5)
    confidence, cost = generator.random((30, 4)), generator.lognormal(-7, 1, (30, 4))
    correct, cost_range = generator.random((30, 4)), (0.0, 0.01)
    weights = generator.integers(0, 4, (3, 30)).astype(float)
    frontier = exact_frontier(confidence, cost, correct, cost_range)
    mean_cost, accuracy = frontier.reweighted(weights)
    for row, counts in enumerate(weights.astype(int)):
        repeated = np.repeat(np.arange(30), counts)
        for point in range(0, len(frontier), 7):
            choice = LambdaPolicy(frontier.lambda_[point]).choose(
                confidence[repeated], cost[repeated], cost_range
            )
            each = np.arange(len(repeated))
            assert mean_cost[row, point] == pytest.approx(cost[repeated][each, choice].mean())
            assert accuracy[row, point] == pytest.approx(correct[repeated][each, choice].mean())


def test_the_same_target_twice_up_to_noise() -> None:
    """Two copies at one price whose confidences differ in the last digit: rounding decides, and is reproduced."""
    generator = np.random.default_rng(1)
    confidence = generator.random((25, 3))
    confidence = np.column_stack([confidence, np.nextafter(confidence[:, 1], 1.0)])
    cost = np.tile([1e-4, 3e-4, 9e-4, 3e-4], (25, 1))
    case = (confidence, cost, (generator.random((25, 4)) < 0.5) * 1.0, (1e-4, 9e-4))
    assert_exact(case, exact_frontier(*case))


def test_crossings_closer_than_float_resolution_are_one_boundary() -> None:
    confidence = np.array([[0.9, 0.4], [0.9 + 2e-14, 0.4]])
    cost = np.array([[1.0, 0.0], [1.0, 0.0]])
    frontier = exact_frontier(confidence, cost, np.array([[1.0, 0.0], [1.0, 0.0]]), (0.0, 1.0))
    assert len(frontier) == 2
    np.testing.assert_allclose(frontier.cost_usd, [1.0, 0.0])
    assert (frontier.lambda_high - frontier.lambda_low > RESOLUTION).all()


def test_one_target_and_one_query_have_one_point() -> None:
    frontier = exact_frontier(np.array([[0.3]]), np.array([[2e-3]]), np.array([[1.0]]), (2e-3, 2e-3))
    assert len(frontier) == 1
    assert (frontier.cost_usd[0], frontier.accuracy[0]) == (2e-3, 1.0)


def test_no_queries_are_refused() -> None:
    empty = np.empty((0, 3))
    with pytest.raises(UserError, match="expected at least one query and one target"):
        exact_frontier(empty, empty, empty, (0.0, 1.0))


@pytest.mark.parametrize("name", ["confidence", "cost_usd", "correct"])
def test_nan_is_refused_by_place(name: str) -> None:
    arrays = {"confidence": np.full((2, 2), 0.5), "cost_usd": np.ones((2, 2)), "correct": np.ones((2, 2))}
    arrays[name][1, 0] = np.nan
    with pytest.raises(UserError, match=rf"{name} of query 1, target 0: expected a finite number, found nan"):
        exact_frontier(*arrays.values(), (0.0, 1.0))
