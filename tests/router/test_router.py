import shutil
from dataclasses import replace

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.heads.constant import ConstantHead
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.predictors.single import SinglePredictor
from prefillroute.readings.live import LiveModels
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.policies import GUARDED, settled
from prefillroute.router.router import Router
from prefillroute.routing.guard import Evidence, LambdaChoice
from prefillroute.routing.policies.budget_policy import BudgetPolicy
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.signals.category import CategorySignal
from tests.router.conftest import ENCODER, TARGETS, outcomes
from tests.signals.toy import Queries, fit


@pytest.fixture(scope="module")
def router(bundle):
    return Router.load(bundle)


@pytest.fixture(scope="module")
def prompts(fitted):
    return [f"add {1000 + 7 * i} and {3 * i}" if i % 2 else f"spell {i} backwards" for i in range(40)]


def test_confidences_are_the_runs_from_cached_readings(router, fitted):
    assert np.abs(router.score(fitted.readings).confidence - fitted.confidence).max() < 1e-5
    one_by_one = [router.score(fitted.readings.select(np.array([row]))).confidence[0] for row in range(10)]
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


def test_bad_prompts_are_refused(router):
    with pytest.raises(UserError, match=r"^query: .*found an empty prompt"):
        router.route(" \n")
    with pytest.raises(UserError, match="query 1: expected UTF-8"):
        router.route(["fine", "caf\udce9"])


def test_a_decision_ranks_the_allowed_targets(router, fitted, prompts):
    policy = LambdaPolicy(0.4)
    decisions = router.route(prompts, policy=policy)
    cost = fitted.cost.estimate(len(prompts), fitted.query_tokens)
    wanted = policy.ranking(fitted.confidence, cost, fitted.cost.cost_range_)
    assert [decision.ranking for decision in decisions] == [[TARGETS[i].name for i in row] for row in wanted]
    assert all(decision.ranking[0] == decision.target for decision in decisions)
    few = router.route(prompts[:3], policy=policy, targets=["large", "small"])
    assert {frozenset(decision.ranking) for decision in few} == {frozenset({"large", "small"})}


def test_another_encoder_under_the_same_name_is_refused(router, bundle, encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "toy")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    (entry,) = router.manifest.models
    changed = replace(entry, facts=replace(entry.facts, repo=str(folder)))
    with pytest.raises(UserError, match=r"expected chat_template=.* as in training"):
        LiveModels([changed], bundle).read(entry.reading, ["x"])


def test_a_model_that_says_something_else_is_found_out_by_the_golden_prompts(router, bundle, fitted):
    (entry,) = router.manifest.models
    kept = fitted.golden().readings
    LiveModels([entry], bundle, golden=kept).read(entry.reading, ["x"])
    kept.cells[ENCODER][2, "last"][:] *= 1.01
    with pytest.raises(
        UserError, match=r"golden prompts: expected .* within 0.001 .*, found 0.0099 at layer 2"
    ):
        LiveModels([entry], bundle, golden=kept).read(entry.reading, ["x"])


def test_a_router_that_reads_labels_asks_for_them(fitted, prompts, tmp_path):
    signal = CategorySignal()
    features = fit(
        signal, Queries(categories=fitted.readings.column("category")), np.ones((1, 40), dtype=bool)
    )
    head = ConstantHead(signal.layout_, 3)
    predictor = SinglePredictor(signal, head)
    logits = predictor.logits(fitted.readings)
    golden = GoldenVectors.take(
        predictor, fitted.readings.select(np.arange(4)), logits[:4], fitted.calibrator.transform(logits[:4])
    )
    assert features.shape == (1, 40, 2)
    cost = TokenCost().fit(outcomes(np.ones((40, 3)), fitted.query_tokens), np.arange(40), TARGETS)
    router = Router.load(fitted.save(tmp_path / "router", predictor=predictor, golden=golden, cost=cost))
    assert router.columns == ("category",)
    assert not router.manifest.models
    decision = router.route(prompts[0], columns={"category": ["c0"]})
    assert decision.query_tokens is None
    assert decision.encoder_tokens == 0
    with pytest.raises(
        UserError, match="query: expected its category, which this router reads, for 2 queries"
    ):
        router.route(prompts[:2], columns={"category": ["c0"]})


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
    def saved(name: str, policy: LambdaPolicy, chosen: Evidence | None) -> Router:
        policy, single = settled(policy, choice_of(chosen), [target.name for target in TARGETS])
        return Router.load(fitted.save(tmp_path / name / "router", policy=policy, single=single))

    chosen = saved("a", LambdaPolicy(None), Evidence(0.4, 0.05, 0.02))
    assert {decision.policy for decision in chosen.route(prompts[:3])} == {"lambda=0.4"}
    told = saved("b", LambdaPolicy(0.2), None)
    assert {decision.policy for decision in told.route(prompts[:3])} == {"lambda=0.2"}
    router = saved("c", LambdaPolicy(None), None)
    assert router.single == "medium"
    decisions = router.route(prompts)
    assert {decision.target for decision in decisions} == {"medium"}
    assert {decision.policy for decision in decisions} == {GUARDED}
    assert {decision.ranking[0] for decision in decisions} == {"medium"}
    assert {len(decision.ranking) for decision in decisions} == {3}
    assert list(decisions[0].confidence) == ["small", "medium", "large"]
    assert {d.target for d in router.route(prompts[:3], targets=["small", "medium"])} == {"medium"}
    # Asked for a policy, or for other targets than the one, it routes.
    assert router.route(prompts[0], policy=LambdaPolicy(1.0)).target == "small"
    assert router.route(prompts[0], targets=["small", "large"]).policy == "lambda=0"
