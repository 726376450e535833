import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.layers.grid import cells, resolve_layers
from prefillroute.layers.source import ArraySource, RowSubset
from prefillroute.layers.ternary import climb


@pytest.fixture
def source() -> ArraySource:
    return ArraySource.from_stack("toy", {"last": np.zeros((3, 8, 2)), "mean": np.ones((3, 8, 2))})


def test_ranges(source: ArraySource) -> None:
    assert resolve_layers("upper", source) == (3, 4, 5, 6, 7)
    assert resolve_layers("all", source) == tuple(range(8))
    assert resolve_layers([6, 2, 2], source) == (2, 6)
    assert [cell[2:] for cell in cells([1, 2], ["mean", "last"], source)] == [
        (1, "mean"),
        (1, "last"),
        (2, "mean"),
        (2, "last"),
    ]


@pytest.mark.parametrize(("layers", "says"), [([3, 9], r"\[9\]"), ([], "empty"), ("lower", "lower")])
def test_what_is_not_there_is_refused(source: ArraySource, layers, says: str) -> None:
    with pytest.raises(UserError, match=says):
        resolve_layers(layers, source)


def test_a_cache_of_lower_layers_has_no_upper_half(source: ArraySource) -> None:
    source.layer_ids = (0, 1)
    with pytest.raises(UserError, match=r"only layers \[0, 1\] of 0..7"):
        resolve_layers("upper", source)


def test_row_subset_reads_its_rows(source: ArraySource) -> None:
    source.arrays[2, "last"] = np.arange(6.0).reshape(3, 2)
    subset = RowSubset(source, np.array([2, 0]))
    np.testing.assert_array_equal(subset.read(2, "last"), [[4, 5], [0, 1]])
    assert (subset.layer_ids, subset.hidden_size) == (source.layer_ids, 2)


@pytest.mark.parametrize("peak", range(10, 41))
def test_ternary_search_finds_the_peak_of_a_unimodal_curve_with_few_looks(peak: int) -> None:
    looks: set[int] = set()

    def score(layer: int) -> float:
        looks.add(layer)
        return -abs(layer - peak)

    assert climb(range(10, 41), score) == peak
    assert len(looks) < 20


def test_ternary_search_keeps_the_best_it_met_when_the_curve_misleads() -> None:
    curve = dict(enumerate([0.5, 0.5, 0.5, 0.9, 0.5, 0.5, 0.95, 0.6, 0.6, np.nan]))
    seen: list[int] = []

    def score(layer: int) -> float:
        seen.append(layer)
        return curve[layer]

    best = climb(range(10), score)
    assert curve[best] == max(curve[layer] for layer in seen if not np.isnan(curve[layer]))


def test_ternary_search_turns_away_from_layers_without_a_score() -> None:
    assert climb(range(10), lambda layer: np.nan if layer > 4 else float(layer)) == 4
    assert climb(range(10), lambda layer: np.nan if layer < 5 else float(-layer)) == 5
    assert climb(range(4), lambda layer: np.nan) == 0
