"""What holds for every cost model of conf/cost, new ones included."""

from dataclasses import replace

import numpy as np
import pytest

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes import costs
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.table import Outcomes
from prefillroute.spec import restore, store
from prefillroute.variants import classes_of, module_name
from tests.shipped import add_module, again, built, options
from tests.stated_defaults import contradicted

OPTIONS = options("cost")
TRAIN = np.arange(25)
TARGETS = [TargetConfig(f"m{j}", price_in=1.0 + j, price_out=10.0 - j, gpus=4) for j in range(3)]


def fitted(name: str, outcomes: Outcomes, query_tokens: np.ndarray | None) -> CostModel:
    cost = built("cost", name)
    assert isinstance(cost, CostModel)
    return cost.fit(outcomes, TRAIN, TARGETS, query_tokens)


def test_every_cost_model_is_an_option_of_its_modules_name() -> None:
    kinds = {name: type(built("cost", name)) for name in OPTIONS}
    assert kinds == classes_of(costs, CostModel)
    assert [module_name(kind) for kind in kinds.values()] == OPTIONS


@pytest.mark.parametrize("with_tokens", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_estimates(table, name, with_tokens):
    """(N, M) and finite; of training queries within the cost range; whatever a single query is asked beside."""
    outcomes = table(num_queries=30)
    query_tokens = np.arange(30.0) if with_tokens else None
    cost = fitted(name, outcomes, query_tokens)
    assert cost.targets_ == ("m0", "m1", "m2")
    train = cost.estimate(
        25, None if query_tokens is None else query_tokens[TRAIN], outcomes.prompt_tokens[TRAIN]
    )
    assert train.shape == (25, 3)
    assert (train.min(), train.max()) == cost.cost_range_
    new = cost.estimate(4, None if query_tokens is None else query_tokens[26:])
    assert new.shape == (4, 3)
    assert np.isfinite(new).all()
    assert (new >= 0).all()
    alone = cost.estimate(1, None if query_tokens is None else query_tokens[27:28])
    np.testing.assert_array_equal(alone, new[1:2])
    if (medians := cost.median_completion_tokens) is not None:
        np.testing.assert_array_equal(medians, np.median(outcomes.completion_tokens[TRAIN], axis=0))


@pytest.mark.parametrize("name", OPTIONS)
def test_realised_costs_are_unknown_where_nothing_was_recorded(table, name):
    outcomes = table(num_queries=30)
    cost = fitted(name, outcomes, np.arange(30.0))
    assert np.isfinite(cost.realised(outcomes)).all()
    unknown = np.full((30, 3), np.nan)
    blank = replace(
        outcomes, prompt_tokens=unknown, completion_tokens=unknown, latency_s=unknown, cost_usd=unknown
    )
    assert np.isnan(cost.realised(blank)).all()


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bundle_gives_back_every_bit(table, name):
    outcomes = table(num_queries=30)
    query_tokens = np.arange(30.0)
    cost = fitted(name, outcomes, query_tokens)
    read = again(cost, CostModel)
    assert type(read) is type(cost)
    assert read.arguments() == cost.arguments() == built("cost", name).arguments()
    assert (read.targets_, read.cost_range_) == (cost.targets_, cost.cost_range_)
    np.testing.assert_array_equal(read.estimate(30, query_tokens), cost.estimate(30, query_tokens))
    np.testing.assert_array_equal(read.realised(outcomes), cost.realised(outcomes))
    assert store(read)[0] == store(cost)[0]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_target_that_cannot_be_costed_is_refused_by_name(table, name):
    outcomes = table(num_queries=30)
    unknown = {
        field: np.where(np.arange(3) == 1, np.nan, getattr(outcomes, field))
        for field in ("prompt_tokens", "completion_tokens", "latency_s", "cost_usd")
    }
    with pytest.raises(UserError, match=r"target 'm1': expected .*, found .*pool.exclude=\[m1\]"):
        fitted(name, replace(outcomes, **unknown), np.arange(30.0))


def test_what_is_no_cost_model_is_not_built():
    with pytest.raises(UserError, match="class: expected a CostModel of prefillroute, found 'barter'"):
        restore({"class": "barter"}, {}, CostModel)


TOY = """
import numpy as np

from prefillroute.outcomes.costs.contract import CostModel


class FlatCost(CostModel):
    def __init__(self, usd: float) -> None:
        self.usd = usd

    def _fit(self, train, targets, query_tokens):
        self.price_ = np.full(len(targets), self.usd)

    def estimate(self, num_queries, query_tokens=None, prompt_tokens=None):
        return np.tile(self.price_, (num_queries, 1))

    def realised(self, outcomes):
        return outcomes.cost_usd
"""


def test_a_new_one_is_one_class_and_one_yaml(table, tmp_path, monkeypatch):
    add_module(monkeypatch, tmp_path, costs, "flat", TOY)
    (tmp_path / "conf" / "cost").mkdir(parents=True)
    (tmp_path / "conf" / "cost" / "flat.yaml").write_text(
        "_target_: prefillroute.outcomes.costs.flat.FlatCost\nusd: 0.25\n"
    )
    monkeypatch.chdir(tmp_path)
    cost = build(compose_run(["cost=flat"]).cost).fit(table(num_queries=30), TRAIN, TARGETS)
    read = again(cost, CostModel)
    assert read.estimate(2).tolist() == [[0.25] * 3] * 2
    assert read.cost_range_ == (0.25, 0.25)


def test_defaults_are_those_of_conf() -> None:
    assert contradicted("cost") == {}
