"""Policies by the names and options of the command line, and what a bundle holds of one."""

import numpy as np
import pytest

from prefillroute.cli.main import make_parser
from prefillroute.errors import UserError
from prefillroute.router.policies import describe, known_policies, make_policy, settled
from prefillroute.routing import policies
from prefillroute.routing.guard import Evidence, LambdaChoice
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from tests.shipped import add_module, options

TARGETS = ("small", "medium", "large")


@pytest.mark.parametrize("name", options("policy"))
def test_every_option_of_conf_is_on_the_command_line(name: str) -> None:
    kind = known_policies()[name]
    policy = make_policy(name, 0.25)
    assert type(policy) is kind
    assert kind.parameter is None or describe(policy) == f"{name}=0.25"


def test_mistakes_name_the_option() -> None:
    assert make_policy("budget", 3.0).value() == 3.0
    assert isinstance(make_policy("budget", 3.0), BudgetPolicy)
    with pytest.raises(UserError, match=r"^--lambda: expected a number in \[0, 1\], found 1.5$"):
        make_policy("lambda", 1.5)
    with pytest.raises(UserError, match=r"policy 'budget': expected --budget \(most .*\), found none"):
        make_policy("budget", None)
    with pytest.raises(UserError, match=r"policy: expected one of .*lambda, .*found 'best'"):
        make_policy("best", 1.0)


def test_words() -> None:
    assert describe(LambdaPolicy(0.3)) == "lambda=0.3"
    assert describe(LambdaPolicy(None)) == "lambda=0"
    assert describe(make_policy("inverse_cost", 0.1)) == "inverse_cost=0.1"

    class MostConfident(Policy):
        def scores(
            self, confidence: np.ndarray, cost_usd: np.ndarray, cost_range: tuple[float, float]
        ) -> np.ndarray:
            return confidence

    assert describe(MostConfident()) == "MostConfident"


def choice_of(chosen: Evidence | None) -> LambdaChoice:
    top = Evidence(0.4, 0.01, 0.02)
    return LambdaChoice(1.0, 90, best_single=1, most_accurate=top, chosen=chosen, at_best_single=None)


def test_what_is_left_to_the_run_is_filled_in() -> None:
    left = LambdaPolicy(None, guard=1.5)
    chosen, single = settled(left, choice_of(Evidence(0.4, 0.05, 0.02)), TARGETS)
    assert (vars(chosen), single) == ({"lambda_": 0.4, "guard": 1.5}, None)
    guarded, single = settled(left, choice_of(None), TARGETS)
    assert (vars(guarded), single) == ({"lambda_": 0.0, "guard": 1.5}, "medium")
    unasked, single = settled(left, None, TARGETS)
    assert (vars(unasked), single) == ({"lambda_": 0.0, "guard": 1.5}, None)
    assert left.lambda_ is None
    for told in (LambdaPolicy(0.2), BudgetPolicy(0.5)):
        assert settled(told, choice_of(None), TARGETS) == (told, None)


TOY = """
import numpy as np

from prefillroute.routing.policies.contract import Parameter, Policy, check_within


class FloorPolicy(Policy):
    parameter = Parameter("floor", "--floor", "most confident of those that cost X or more")

    def __init__(self, floor: float) -> None:
        self.floor = check_within("floor", floor, 0.0, np.inf)

    def scores(self, confidence, cost_usd, cost_range):
        return np.where(cost_usd >= self.floor, confidence, -np.inf)
"""


def test_a_new_one_is_an_option_by_itself(tmp_path, monkeypatch) -> None:
    add_module(monkeypatch, tmp_path, policies, "floor_policy", TOY)
    known_policies.cache_clear()
    try:
        parser, commands = make_parser()
        assert "floor: most confident of those that cost X or more" in " ".join(
            commands["route"].format_help().split()
        )
        arguments = parser.parse_args(["route", "x", "--policy", "floor", "--floor", "0.2"])
        policy = make_policy(arguments.policy, arguments.value_floor)
        assert describe(policy) == "floor=0.2"
        assert policy.choose(np.array([[0.9, 0.7]]), np.array([[0.1, 0.3]]), (0.1, 0.3)).tolist() == [1]
        with pytest.raises(UserError, match=r"^--floor: expected a number of at least 0, found -1"):
            make_policy("floor", -1.0)
    finally:
        known_policies.cache_clear()
