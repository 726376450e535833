import shutil

import numpy as np
import pytest

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.layers.features import read_block
from prefillroute.router.encoding import QueryEncoder
from prefillroute.router.manifest import EncoderEntry
from prefillroute.router.policies import POLICIES, describe, make_policy, policy_spec
from prefillroute.router.router import Router
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy


@pytest.fixture(scope="module")
def router(bundle):
    return Router.load(bundle)


@pytest.fixture(scope="module")
def prompts(fitted):
    return [f"add {1000 + 7 * i} and {3 * i}" if i % 2 else f"spell {i} backwards" for i in range(40)]


def test_confidences_are_the_runs_from_cached_activations(router, fitted):
    activations = [read_block(fitted.source, block) for block in router.manifest.blocks]
    assert np.abs(router.predictor(activations) - fitted.confidence).max() < 1e-5
    one_by_one = [router.predictor([block[i : i + 1] for block in activations])[0] for i in range(10)]
    assert np.abs(np.array(one_by_one) - fitted.confidence[:10]).max() < 1e-5


def test_confidences_and_choices_are_the_runs_from_text(router, fitted, prompts):
    for lambda_ in (0.0, 0.3, 0.7):
        policy = LambdaPolicy(lambda_)
        decisions = router.route(prompts, policy=policy)
        found = np.array([list(decision.confidence.values()) for decision in decisions])
        assert np.abs(found - fitted.confidence).max() < 1e-3
        cost = fitted.cost.estimate(fitted.query_tokens)
        wanted = policy.choose(fitted.confidence, cost, fitted.cost.cost_range_)
        assert [decision.target for decision in decisions] == [router.targets[i] for i in wanted]


def test_a_single_query_gives_one_decision(router, fitted, prompts):
    decision = router.route(prompts[3])
    assert decision == router.route(prompts[:5])[3] or np.allclose(
        list(decision.confidence.values()), fitted.confidence[3], atol=1e-3
    )
    assert decision.policy == "lambda=0.3"
    assert decision.endpoint == ("vendor/small" if decision.target == "small" else decision.target)
    assert decision.query_tokens == fitted.query_tokens[3] == len(prompts[3])
    assert decision.encoder_tokens == len(prompts[3]) + 3  # the template's own three
    assert not decision.truncated
    assert list(decision.cost_usd) == ["small", "medium", "large"]
    assert decision.cost_usd["large"] > decision.cost_usd["small"] > 0


def test_subset_routing_chooses_among_the_named_only(router, prompts):
    decisions = router.route(prompts[:6], policy=LambdaPolicy(1.0), targets=["large", "medium"])
    assert {decision.target for decision in decisions} == {"medium"}
    assert list(decisions[0].confidence) == ["medium", "large"]
    with pytest.raises(UserError, match="no target 'huge' in the router; it has small, medium, large"):
        router.route(prompts[0], targets=["small", "huge"])
    with pytest.raises(UserError, match="no target"):
        router.route(prompts[0], targets=[])


def test_a_long_query_is_cut_and_the_decision_says_so(router):
    decision = router.route("count " * 50)
    assert decision.truncated
    assert decision.encoder_tokens == 64
    assert decision.query_tokens == 300


def test_bad_prompts_and_activations_are_refused(router, fitted):
    with pytest.raises(UserError, match="query: empty prompt"):
        router.route(" \n")
    with pytest.raises(UserError, match="query 1: not UTF-8"):
        router.route(["fine", "caf\udce9"])
    activations = [read_block(fitted.source, block)[:2].copy() for block in router.manifest.blocks]
    with pytest.raises(UserError, match="got activations of 1 blocks, wanted 2"):
        router.route_activations(activations[:1], np.array([3, 4]))
    with pytest.raises(UserError, match=r"shape \(2, 5\), wanted \(N, 16\)"):
        router.route_activations([activations[0][:, :5], activations[1]], np.array([3, 4]))
    activations[0][1, 3] = np.nan
    with pytest.raises(UserError, match="activations of query 1 hold NaN"):
        router.route_activations(activations, np.array([3, 4]))


def test_another_encoder_under_the_same_name_is_refused(router, bundle, fitted, encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "toy")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    entry = router.manifest.encoders[0]
    facts = EncoderConfig(**{**vars(entry.facts), "repo": str(folder)})
    encode = QueryEncoder([EncoderEntry(facts, entry.identity)], router.manifest.blocks, bundle)
    with pytest.raises(UserError, match="trained with chat_template="):
        encode(["x"])


def test_policies_go_through_their_names():
    for name, spec in POLICIES.items():
        policy = make_policy(name, 0.25)
        assert policy_spec(policy) == {"name": name, "value": 0.25}
        assert describe(policy) == f"{name}=0.25"
        assert spec.option.startswith("--")
    assert isinstance(make_policy("budget", 3.0), BudgetPolicy)
    with pytest.raises(UserError, match=r"--lambda 1.5: wanted a number in \[0, 1\]"):
        make_policy("lambda", 1.5)
    with pytest.raises(UserError, match="policy 'budget' needs --budget"):
        make_policy("budget", None)
    with pytest.raises(UserError, match="no policy 'best'; allowed are lambda, budget"):
        make_policy("best", 1.0)
