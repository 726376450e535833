"""What every declared statistic promises."""

import math

import pytest

from prefillroute.reports.catalogue import FORMS
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.statistics.contract import (
    ContestStatistic,
    PoolStatistic,
    RouterStatistic,
    SelectionStatistic,
    Strategy,
    TargetStatistic,
)
from prefillroute.routing.statistics.declared import declared

KINDS = (PoolStatistic, RouterStatistic, ContestStatistic, SelectionStatistic, TargetStatistic)
GLOBAL = KINDS[:-1]


@pytest.mark.parametrize("kind", [*KINDS, Strategy])
def test_the_order_is_stated_by_the_statistics_alone(kind: type) -> None:
    """So the name of a module says nothing about where its numbers stand."""
    places = [each.place for each in declared(kind)]
    assert places
    assert len(set(places)) == len(places)
    assert max(places) < math.inf


@pytest.mark.parametrize("kinds", [GLOBAL, (TargetStatistic,)])
def test_every_statistic_that_is_shown_has_a_place_a_form_and_a_meaning(kinds: tuple[type, ...]) -> None:
    shown = [each.shown for kind in kinds for each in declared(kind) if each.shown is not None]
    assert len({entry.place for entry in shown}) == len(shown)
    for entry in shown:
        assert math.isfinite(entry.place), entry.label
        assert FORMS[entry.form](0.25) != FORMS[entry.form](None), entry.label
        assert entry.meaning or "table" not in entry.on, entry.label


def test_metrics_json_holds_every_statistic_once(make_table) -> None:
    metrics = evaluate(make_table(num_test=40), num_resamples=5).metrics
    keys = [each.key for kind in GLOBAL for each in declared(kind)]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= metrics["test"].keys()
    for target in metrics["targets"].values():
        assert list(target) == [*(each.key for each in declared(TargetStatistic)), "num_rows"]
    for kind in (PoolStatistic, RouterStatistic, ContestStatistic):
        assert {each.key for each in declared(kind)} <= metrics["intervals"].keys()


def test_every_strategy_is_in_metrics_json(make_table) -> None:
    test = evaluate(make_table(num_test=40), num_resamples=0).metrics["test"]
    for strategy in declared(Strategy):
        assert isinstance(test[strategy.accuracy], float)
        assert isinstance(test[strategy.cost], float)
        assert not strategy.names or isinstance(test[strategy.names], str)
