import shutil

import numpy as np
import pytest

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.layers.features import read_block
from prefillroute.router.encoding import QueryEncoder
from prefillroute.router.manifest import EncoderEntry
from prefillroute.router.policies import GUARDED
from prefillroute.router.router import Router
from prefillroute.routing.guard import Evidence, LambdaChoice
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
        cost = fitted.cost.estimate(len(fitted.query_tokens), fitted.query_tokens)
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
    with pytest.raises(UserError, match="some of the router's small, medium, large, found 'huge'"):
        router.route(prompts[0], targets=["small", "huge"])
    with pytest.raises(UserError, match=r"^targets: expected"):
        router.route(prompts[0], targets=[])


def test_a_long_query_is_cut_and_the_decision_says_so(router):
    decision = router.route("count " * 50)
    assert decision.truncated
    assert decision.encoder_tokens == 64
    assert decision.query_tokens == 300


def test_bad_prompts_and_activations_are_refused(router, fitted):
    with pytest.raises(UserError, match=r"^query: .*found an empty prompt"):
        router.route(" \n")
    with pytest.raises(UserError, match="query 1: expected UTF-8"):
        router.route(["fine", "caf\udce9"])
    activations = [read_block(fitted.source, block)[:2].copy() for block in router.manifest.blocks]
    with pytest.raises(UserError, match="activations: expected 2 blocks, found 1"):
        router.route_activations(activations[:1], np.array([3, 4]))
    with pytest.raises(UserError, match=r"shape \(N, 16\), found \(2, 5\)"):
        router.route_activations([activations[0][:, :5], activations[1]], np.array([3, 4]))
    activations[0][1, 3] = np.nan
    with pytest.raises(UserError, match=r"activations of query 1: .*found NaN"):
        router.route_activations(activations, np.array([3, 4]))


def test_another_encoder_under_the_same_name_is_refused(router, bundle, fitted, encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "toy")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    entry = router.manifest.encoders[0]
    facts = EncoderConfig(**{**vars(entry.facts), "repo": str(folder)})
    encode = QueryEncoder([EncoderEntry(facts, entry.identity)], router.manifest.blocks, bundle)
    with pytest.raises(UserError, match=r"expected chat_template=.* as in training"):
        encode(["x"])


def test_subset_routing_weighs_the_costs_of_its_own_columns(router, fitted, prompts):
    """The dear half of the pool: a budget between its two prices separates them, and each keeps its cost."""
    cost = fitted.cost.estimate(len(fitted.query_tokens), fitted.query_tokens)
    whole = router.route(prompts[:6])
    for row, decision in enumerate(router.route(prompts[:6], targets=["large", "medium"])):
        assert decision.cost_usd == pytest.approx({"medium": cost[row, 1], "large": cost[row, 2]})
        assert decision.cost_usd == {name: whole[row].cost_usd[name] for name in ("medium", "large")}
        assert decision.confidence == {name: whole[row].confidence[name] for name in ("medium", "large")}
    budget = BudgetPolicy(float(np.sqrt(cost[:6, 1].max() * cost[:6, 2].min())))
    assert cost[:6, 1].max() < budget.budget_usd < cost[:6, 2].min()
    decisions = router.route(prompts[:6], policy=budget, targets=["large", "medium"])
    assert {decision.target for decision in decisions} == {"medium"}
    assert {decision.target for decision in router.route(prompts[:6], policy=budget, targets=["large"])} == {
        "large"
    }
    lambda_ = LambdaPolicy(0.6)
    expected = lambda_.choose(fitted.confidence[:, 1:], cost[:, 1:], fitted.cost.cost_range_)
    found = [
        decision.target for decision in router.route(prompts, policy=lambda_, targets=["medium", "large"])
    ]
    assert found == [("medium", "large")[index] for index in expected]


def choice_of(chosen: Evidence | None) -> LambdaChoice:
    top = Evidence(0.4, 0.01, 0.02)
    return LambdaChoice(1.0, 90, best_single=1, most_accurate=top, chosen=chosen, at_best_single=None)


def test_a_bundle_takes_the_chosen_lambda_or_what_the_guard_fell_back_on(fitted, prompts, tmp_path):
    left_open = LambdaPolicy(None)
    chosen = fitted.save(
        tmp_path / "a" / "router", policy=left_open, choice=choice_of(Evidence(0.4, 0.05, 0.02))
    )
    assert {decision.policy for decision in Router.load(chosen).route(prompts[:3])} == {"lambda=0.4"}
    told = fitted.save(tmp_path / "b" / "router", policy=LambdaPolicy(0.2), choice=choice_of(None))
    assert {decision.policy for decision in Router.load(told).route(prompts[:3])} == {"lambda=0.2"}
    router = Router.load(fitted.save(tmp_path / "c" / "router", policy=left_open, choice=choice_of(None)))
    assert router.single == "medium"
    decisions = router.route(prompts)
    assert {decision.target for decision in decisions} == {"medium"}
    assert {decision.policy for decision in decisions} == {GUARDED}
    assert list(decisions[0].confidence) == ["small", "medium", "large"]
    assert {d.target for d in router.route(prompts[:3], targets=["small", "medium"])} == {"medium"}
    # Asked for a policy, or for other targets than the one, it routes.
    assert router.route(prompts[0], policy=LambdaPolicy(1.0)).target == "small"
    assert router.route(prompts[0], targets=["small", "large"]).policy == "lambda=0"
