"""The capped confidences under lambda = 0 against a cascade written as one."""

import numpy as np
import pytest
import torch

from prefillroute.calibration.none import NoCalibrator
from prefillroute.errors import UserError
from prefillroute.heads.cascade import CascadeHead
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic import LogisticHead
from prefillroute.routing.policies.lambda_policy import LambdaPolicy

N, D, M = 400, 6, 4


def brute_force_cascade(confidence: np.ndarray, cost: np.ndarray, accept: float) -> np.ndarray:
    chosen = []
    for p, c in zip(confidence, cost, strict=True):
        upwards = np.argsort(c, kind="stable")
        confident = [target for target in upwards if p[target] >= accept]
        chosen.append(confident[0] if confident else int(np.argmax(p)))
    return np.array(chosen)


@pytest.fixture
def data():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(1, N, D, generator=rng)
    slope = 2 * torch.randn(D, M, generator=rng)
    correct = (torch.rand(N, M, generator=rng) < torch.sigmoid(features[0] @ slope)).float()
    valid = torch.rand(1, N, generator=rng) < 0.2
    return features, correct, ~valid, valid


@pytest.mark.parametrize("accept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("equal_costs", [False, True])
def test_lambda_zero_is_the_cascade(data, accept, equal_costs):
    features, *rest = data
    confidence = NoCalibrator().transform(
        ensemble_logits(CascadeHead(Layout(D), M, accept=accept).fit(features, *rest), features)[0].numpy()
    )
    base = torch.sigmoid(
        ensemble_logits(LogisticHead(Layout(D), M).fit(features, *rest), features)[0].double()
    ).numpy()
    cost = np.random.default_rng(1).random((N, M))  # another order for every query
    if equal_costs:
        cost[:, 2] = cost[:, 0]
    chosen = LambdaPolicy(0.0).choose(confidence, cost, (0.0, 1.0))
    expected = brute_force_cascade(base, cost, accept)
    np.testing.assert_array_equal(chosen, expected)

    capped = base >= accept
    assert len(np.unique(confidence[capped])) == 1, "they tie to the bit"
    np.testing.assert_allclose(confidence, base.clip(max=accept), atol=1e-6)
    assert (chosen != base.argmax(1)).any()
    assert accept < 0.95 or not capped.any(1).all(), "some query has no confident target"


def test_accept_is_a_probability():
    for accept in (0.0, 1.0, 1.5):
        with pytest.raises(UserError, match=r"head\.accept: expected"):
            CascadeHead(Layout(D), M, accept=accept)
    with pytest.raises(UserError, match="c_grid: expected"):
        CascadeHead(Layout(D), M, c_grid=[])
