"""SharedTrunkNet and independent nets against plain torch.nn, and what every head promises."""

import numpy as np
import pytest
import torch
from torch import nn

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.independent_mlp import IndependentMLP
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.heads.stacked import relu_dropout
from prefillroute.seeds import seeded_generator

D, M, G, E, B = 7, 3, 2, 4, 11
KINDS = (SharedTrunkNet, IndependentMLP)


def tiny(kind: type[Head], **sizes: int) -> Head:
    sizes = {"num_groups": G, "num_members": E, "seed": 1} | sizes
    return kind(Layout(D), M, **sizes, hidden=(8, 5), dropout=(0.3, 0.2))  # type: ignore[call-arg]


def plain_net(head: Head, group: int, net: int, outputs: int) -> nn.Sequential:
    """The same net as torch.nn layers with the stacked weights copied in."""
    sizes = [(D, 8), (8, 5), (5, outputs)]
    layers = [nn.Linear(*size) for size in sizes]
    for i, layer in enumerate(layers):
        stacked = head.stack(group).layers[i]  # type: ignore[index]
        with torch.no_grad():
            layer.weight.copy_(stacked.weight[net])
            layer.bias.copy_(stacked.bias[net, :, 0])
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(G, B, D, generator=torch.Generator().manual_seed(0))


def test_shared_trunk_equals_plain_nets(features):
    head = tiny(SharedTrunkNet).eval()
    logits = head(features)
    assert logits.shape == (G, E, B, M)
    for g in range(G):
        for e in range(E):
            torch.testing.assert_close(logits[g, e], plain_net(head, g, e, M)(features[g]))


def test_independent_equals_plain_nets(features):
    head = tiny(IndependentMLP).eval()
    logits = head(features)
    assert logits.shape == (G, E, B, M)
    for g in range(G):
        for e in range(E):
            for m in range(M):
                expected = plain_net(head, g, e * M + m, 1)(features[g])[:, 0]
                torch.testing.assert_close(logits[g, e, :, m], expected)


def test_parameter_counts():
    def count(head: Head) -> int:
        return sum(p.numel() for p in head.parameters())

    assert (
        count(SharedTrunkNet(Layout(200), 33)) == 200 * 256 + 256 + 256 * 128 + 128 + 128 * 33 + 33 == 88_609
    )
    assert count(SharedTrunkNet(Layout(200), 33, num_groups=6, num_members=10)) == 60 * 88_609
    assert count(IndependentMLP(Layout(200), 3)) == 3 * (200 * 256 + 256 + 256 * 128 + 128 + 128 + 1)


def test_initial_weights_are_torch_linears_distribution():
    weight = SharedTrunkNet(Layout(64), 4, num_members=4).stack(0).layers[0].weight  # type: ignore[index]
    bound = 1 / 8
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not torch.equal(weight[0], weight[1])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_equal_plain_nets(kind, features):
    head = tiny(kind)
    head.eval()
    stack = head.stack(0)
    logits = stack(features[0])  # (S, B, T)
    target = torch.rand(logits.shape, generator=torch.Generator().manual_seed(2))
    nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum").backward()
    for net in range(stack.num_nets):
        plain = plain_net(head, 0, net, logits.shape[2])
        loss = nn.functional.binary_cross_entropy_with_logits(
            plain(features[0]), target[net], reduction="sum"
        )
        loss.backward()
        for i, j in enumerate((0, 2, 4)):
            torch.testing.assert_close(stack.layers[i].weight.grad[net], plain[j].weight.grad)
            torch.testing.assert_close(stack.layers[i].bias.grad[net, :, 0], plain[j].bias.grad)


def test_dropout_rate_scale_and_gradient():
    hidden = torch.randn(40, 50, 60, generator=torch.Generator().manual_seed(0))
    leaf = hidden.clone().requires_grad_()
    out = relu_dropout(leaf * 1, 0.3, seeded_generator("d"))
    positive = hidden > 0
    kept = (out != 0) & positive
    assert kept.sum().item() / positive.sum().item() == pytest.approx(1 - 77 / 256, abs=0.005)
    torch.testing.assert_close(out[kept], hidden[kept] * 256 / 179)
    out.sum().backward()
    torch.testing.assert_close(leaf.grad, kept * (256 / 179))
    # Neighbours in memory share a 64-bit draw; their masks must not.
    flat = (relu_dropout(torch.ones(2, 80_000), 0.5, seeded_generator("e")) != 0).double()
    for lag in (1, 2, 7, 8, 16):
        correlation = np.corrcoef(flat[0, :-lag].numpy(), flat[0, lag:].numpy())[0, 1]
        assert abs(correlation) < 0.015


def test_dropout_is_seeded_and_off_in_eval(features):
    head = tiny(SharedTrunkNet).train()
    stack = head.stack(0)
    a, b, c = (stack(features[0], seeded_generator("x", i)) for i in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    head.eval()
    assert torch.equal(
        stack(features[0], seeded_generator("x", 0)), stack(features[0], seeded_generator("x", 1))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_groups_are_independent(kind, features):
    head = tiny(kind).eval()
    before = head(features)
    changed = features.clone()
    changed[1, 3] += 1
    after = head(changed)
    assert torch.equal(before[0], after[0])
    rest = [row for row in range(B) if row != 3]
    torch.testing.assert_close(before[1][:, rest], after[1][:, rest])
    assert not torch.allclose(before[1][:, 3], after[1][:, 3])


def test_select_keeps_other_members_for_each_target(features):
    head = tiny(IndependentMLP).eval()
    kept = np.array([[0, 3, 1], [2, 2, 0]])  # (K, M)
    chosen = head.select(0, kept)(features[:1])
    full = head(features)[0]
    for k in range(2):
        for m in range(M):
            torch.testing.assert_close(chosen[0, k, :, m], full[kept[k, m], :, m])


@pytest.mark.parametrize("kind", KINDS)
def test_ensemble_logit_is_the_logit_of_the_mean_probability(kind, features):
    head = tiny(kind)
    head.train()
    z = ensemble_logits(head, features)
    assert head.training
    assert z.shape == (G, B, M)
    mean = head.eval()(features).double().sigmoid().mean(1)
    torch.testing.assert_close(z.double(), torch.logit(mean), atol=1e-5, rtol=1e-5)
    far = ensemble_logits(head, features * 1e6)
    assert far.abs().max() <= np.log((1 - 1e-6) / 1e-6) + 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": ()}, "hidden: expected"),
        ({"hidden": (4, 0)}, "hidden: expected"),
        ({"dropout": (0.3,)}, "found 1 rates"),
        ({"dropout": (0.3, 1.0)}, "dropout: expected rates"),
        ({"num_members": 0}, "num_members: expected at least 1, found 0"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_shapes_are_named(kind, arguments, message):
    with pytest.raises(UserError, match=message):
        kind(Layout(D), M, **arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_one_rate_is_that_of_every_hidden_layer(kind):
    one, each = (kind(Layout(D), M, G, hidden=(8, 5), dropout=dropout) for dropout in (0.5, (0.5, 0.5)))
    assert one.dropout == each.dropout
    assert [stack.dropout for stack in one.groups] == [(0.5, 0.5)] * G
    with pytest.raises(UserError, match="dropout: expected rates"):
        kind(Layout(D), M, hidden=(8, 5), dropout=1.0)
