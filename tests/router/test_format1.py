"""Parts of bundles of format 1, as the code that wrote such bundles stored them and what it then computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from prefillroute.calibration.contract import Calibrator
from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.router import format1
from prefillroute.router.format1 import calibrator_from_format1, cost_from_format1, policy_from_format1
from prefillroute.router.policies import describe
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import store
from tests.shipped import again

WRITTEN = json.loads((Path(__file__).parent / "format1_states.json").read_text("utf-8"))
TARGETS = [TargetConfig(**facts) for facts in WRITTEN["targets"]]
NAMES = [target.name for target in TARGETS]


def test_every_part_of_format_1_is_there() -> None:
    assert {case["state"]["name"] for case in WRITTEN["calibration"]} == set(format1.CALIBRATORS)
    assert {case["state"]["kind"] for case in WRITTEN["cost"]} == set(format1.TERMS)
    assert {case["spec"]["name"] for case in WRITTEN["policy"]} == {*format1.POLICIES, format1.SINGLE}


@pytest.mark.parametrize("case", WRITTEN["calibration"], ids=lambda case: case["state"]["name"])
def test_a_calibrator_computes_the_same_bits(case) -> None:
    calibrator = calibrator_from_format1(case["state"])
    assert calibrator.name == case["state"]["name"]
    assert calibrator.arguments() == case["state"]["hyper"]
    for each in (calibrator, again(calibrator, Calibrator)):
        assert each.transform(np.array(WRITTEN["z"])).tolist() == case["confidence"]


@pytest.mark.parametrize("case", WRITTEN["cost"], ids=lambda case: case["state"]["kind"])
def test_a_cost_model_computes_the_same_bits(case) -> None:
    cost = cost_from_format1(case["state"], TARGETS)
    tokens = np.array(case["query_tokens"])
    for each in (cost, again(cost, CostModel)):
        assert each.estimate(len(tokens), tokens).tolist() == case["cost_usd"]
        assert each.targets_ == tuple(NAMES)
        assert each.cost_range_ == tuple(case["state"]["cost_range"])
    medians = case["state"].get("completion_tokens")
    if medians is None:
        assert cost.median_completion_tokens is None
    else:
        np.testing.assert_array_equal(cost.median_completion_tokens, np.array(medians, dtype=np.float64))
    if case["state"]["kind"] == "gpu_time":
        assert cost.arguments() == {"gpu_usd_per_hour": WRITTEN["gpu_usd_per_hour"]}


@pytest.mark.parametrize("case", WRITTEN["policy"], ids=lambda case: str(case["spec"]["name"]))
def test_a_policy_is_the_same(case) -> None:
    policy, single = policy_from_format1(case["spec"], NAMES)
    assert describe(policy) == describe(again(policy, Policy)) == case["words"]
    assert single == (case["spec"]["value"] if case["spec"]["name"] == "single" else None)
    assert store(again(policy, Policy))[0] == store(policy)[0]


def test_what_format_1_never_wrote_is_one_line() -> None:
    with pytest.raises(UserError, match=r"calibration.name: expected one of platt.*, found 'magic'"):
        calibrator_from_format1({"name": "magic"})
    with pytest.raises(UserError, match=r"calibration: expected the state of 'platt', found .*'hyper'"):
        calibrator_from_format1({"name": "platt"})
    with pytest.raises(UserError, match=r"cost.kind: expected one of tokens, .*, found 'barter'"):
        cost_from_format1({"kind": "barter"}, TARGETS)
    with pytest.raises(UserError, match=r"cost: expected the state of 'observed', found .*'observed'"):
        cost_from_format1({"kind": "observed"}, TARGETS)
    with pytest.raises(UserError, match=r"policy: expected one of lambda, .*, found 'best'"):
        policy_from_format1({"name": "best", "value": 1.0}, NAMES)
    with pytest.raises(
        UserError, match="policy 'single': expected one of small, medium, agent, found 'huge'"
    ):
        policy_from_format1({"name": "single", "value": "huge"}, NAMES)
    with pytest.raises(UserError, match=r"policy.lambda_: expected a number in \[0, 1\], found 1.5"):
        policy_from_format1({"name": "lambda", "value": 1.5}, NAMES)
