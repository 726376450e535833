"""What holds for every policy of conf/policy, new ones included."""

import inspect
import re

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.routing import policies
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import restore, store
from prefillroute.variants import classes_of
from tests.shipped import again, built, options
from tests.stated_defaults import contradicted

OPTIONS = options("policy")
CONFIDENCE = np.random.default_rng(0).random((40, 5))
COST = np.random.default_rng(1).choice([1e-4, 1e-4, 3e-4, 2e-3], (40, 5))
COST_RANGE = (1e-4, 2e-3)


def shipped(name: str) -> Policy:
    policy = built("policy", name)
    assert isinstance(policy, Policy)
    return policy


def test_every_policy_is_an_option_of_its_modules_name() -> None:
    kinds = {type(shipped(name)) for name in OPTIONS}
    assert kinds == set(classes_of(policies, Policy).values())
    assert [shipped(name).option_name() for name in OPTIONS] == OPTIONS


@pytest.mark.parametrize("name", OPTIONS)
def test_choice_and_ranking(name: str) -> None:
    """One target per query, equal confidence goes to the cheaper, and the ranking begins with the choice."""
    policy = shipped(name)
    scores = policy.scores(CONFIDENCE, COST, COST_RANGE)
    assert scores.shape == CONFIDENCE.shape
    assert not np.isnan(scores).any()
    chosen = policy.choose(CONFIDENCE, COST, COST_RANGE)
    ranking = policy.ranking(CONFIDENCE, COST, COST_RANGE)
    np.testing.assert_array_equal(ranking[:, 0], chosen)
    np.testing.assert_array_equal(np.sort(ranking, axis=1), np.tile(np.arange(5), (40, 1)))
    alike = policy.choose(np.full((1, 3), 0.5), np.array([[3e-4, 1e-4, 1e-4]]), COST_RANGE)
    assert alike.tolist() == [1]


@pytest.mark.parametrize("name", OPTIONS)
def test_queries_do_not_depend_on_each_other(name: str) -> None:
    policy = shipped(name)
    whole = policy.choose(CONFIDENCE, COST, COST_RANGE)
    alone = [policy.choose(CONFIDENCE[[row]], COST[[row]], COST_RANGE)[0] for row in range(len(CONFIDENCE))]
    assert whole.tolist() == alone


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bundle_gives_it_back(name: str) -> None:
    policy = shipped(name)
    read = again(policy, Policy)
    assert type(read) is type(policy)
    assert vars(read) == vars(policy)
    assert store(read) == store(policy)
    np.testing.assert_array_equal(
        read.choose(CONFIDENCE, COST, COST_RANGE), policy.choose(CONFIDENCE, COST, COST_RANGE)
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_confidences_and_costs_that_are_not_finite_are_refused(name: str) -> None:
    for key, arrays in (
        ("confidence", (np.array([[0.5, np.nan]]), np.ones((1, 2)))),
        ("cost_usd", (np.full((1, 2), 0.5), np.array([[1.0, np.nan]]))),
    ):
        with pytest.raises(
            UserError, match=f"{key} of query 0, target 1: expected a finite number, found nan"
        ):
            shipped(name).choose(*arrays, COST_RANGE)


@pytest.mark.parametrize("name", OPTIONS)
def test_what_the_class_says_of_its_parameter_is_so(name: str) -> None:
    policy = shipped(name)
    parameter = policy.parameter
    if parameter is None:
        assert policy.value() is None
        return
    assert next(iter(inspect.signature(type(policy)).parameters)) == parameter.argument
    assert re.fullmatch(r"--[a-z-]+", parameter.option)
    assert parameter.meaning
    assert policy.value() == getattr(policy, parameter.argument)
    with pytest.raises(UserError, match=rf"^policy\.{parameter.argument}: expected .*, found -1$"):
        type(policy)(**{parameter.argument: -1})


def test_options_of_the_command_line_are_different() -> None:
    given = [policy.parameter.option for policy in map(shipped, OPTIONS) if policy.parameter is not None]
    assert len(set(given)) == len(given)


def test_what_is_no_policy_is_not_built() -> None:
    with pytest.raises(
        UserError, match=r"class: expected a Policy of prefillroute, found 'prefillroute.spec.Stored'"
    ):
        restore({"class": "prefillroute.spec.Stored"}, {}, Policy)


def test_defaults_are_those_of_conf() -> None:
    allowed = {"LambdaPolicy.lambda_"}  # 0 in a notebook; a run chooses its own
    assert set(contradicted("policy")) <= allowed
