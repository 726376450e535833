"""The two multi-task heads against torch's own losses, one net and one row at a time."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from prefillroute.errors import UserError
from prefillroute.heads.contract import GroupBatch
from prefillroute.heads.layout import Layout
from prefillroute.heads.mlp_head import MLPHead
from prefillroute.heads.multi_task import (
    MultiTaskHead,
    MultiTaskMLP,
    UnifiedMultiTask,
    disagreement_weights,
    judge_labels,
    share_labels,
)

D, M, E, B, C = 7, 3, 4, 40, 5
KINDS = (MultiTaskMLP, UnifiedMultiTask)
NAN = math.nan


def tiny(kind: type[MultiTaskHead], own: int = 0, **changes) -> MultiTaskHead:
    sizes = {"num_groups": 2, "num_members": E, "seed": 1, "hidden": (8, 5), "dropout": (0.3, 0.2)}
    layout = Layout(D, ("a", "b")[:own], extras=("difficulty",))
    return kind(layout, M, **(sizes | changes))


def batch_of(correct: torch.Tensor, difficulty: torch.Tensor | None = None) -> GroupBatch:
    extras = {} if difficulty is None else {"difficulty": difficulty}
    return GroupBatch(torch.zeros(len(correct), D), correct, extras)


@pytest.fixture
def correct() -> torch.Tensor:
    """(B, M) with partial credit, a third missing, and rows without any outcome."""
    rng = np.random.default_rng(0)
    values = rng.choice([0.0, 1.0, 0.3, 0.7, NAN], size=(B, M), p=[0.25, 0.3, 0.05, 0.05, 0.35])
    values[[4, 17]] = NAN
    return torch.tensor(values, dtype=torch.float32)


@pytest.fixture
def difficulty() -> torch.Tensor:
    values = np.random.default_rng(1).random(B)
    values[::6] = NAN
    return torch.tensor(values, dtype=torch.float32)


def active(kind: type[MultiTaskHead]) -> torch.Tensor:
    """Some nets have stopped: the others' numbers in the group, out of step with their positions."""
    return torch.tensor([1, 3]) if kind.joint else torch.tensor([1, 5, 6, 11])


def outputs_of(head: MultiTaskHead, nets: torch.Tensor) -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    return torch.randn(len(nets), B, head.num_outputs + C, generator=rng, requires_grad=True)


def row_share(row: torch.Tensor) -> float | None:
    seen = [value for value in row.tolist() if not math.isnan(value)]
    return sum(value >= 0.5 for value in seen) / len(seen) if seen else None


def brute_loss(head, output, correct, net, difficulty=None) -> torch.Tensor:
    """One net's loss, one row after the other."""
    targets = range(M) if head.joint else [net % M]
    shares = [row_share(row) for row in correct]
    raw = [None if s is None else 1 + head.disagreement_weight * 4 * s * (1 - s) for s in shares]
    observed = [w for w in raw if w is not None]
    scale = sum(observed) / len(observed)
    bce, ce = [], []
    for b in range(B):
        for column, m in enumerate(targets):
            if not correct[b, m].isnan():
                one = binary_cross_entropy_with_logits(output[b, column], correct[b, m])
                bce.append(raw[b] / scale * one)
        classes = output[b, len(targets) :]
        if head.difficulty_labels == "judge":
            if not difficulty[b].isnan():
                centres = (np.arange(C) + 0.5) / C
                soft = [np.interp(1 - difficulty[b].item(), centres, np.eye(C)[c]) for c in range(C)]
                ce.append(cross_entropy(classes, torch.tensor(soft, dtype=torch.float32)))
        elif shares[b] is not None:
            ce.append(cross_entropy(classes, torch.tensor(min(math.floor(shares[b] * C + 1e-9), C - 1))))
    return torch.stack(bce).mean() + head.difficulty_weight * torch.stack(ce).mean()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labels", ["share", "judge"])
@pytest.mark.parametrize("disagreement", [0.0, 1.5])
def test_loss_and_gradient_equal_brute_force(kind, labels, disagreement, correct, difficulty):
    head = tiny(
        kind, difficulty_weight=0.7, difficulty_labels=labels, disagreement_weight=disagreement, num_classes=C
    )
    nets = active(kind)
    outputs = outputs_of(head, nets)
    loss = head.training_loss(outputs, batch_of(correct, difficulty), nets)
    expected = torch.stack(
        [brute_loss(head, outputs[s], correct, int(net), difficulty) for s, net in enumerate(nets)]
    )
    torch.testing.assert_close(loss, expected)
    (got,) = torch.autograd.grad(loss.sum(), outputs, retain_graph=True)
    (want,) = torch.autograd.grad(expected.sum(), outputs)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("kind", KINDS)
def test_without_difficulty_the_correctness_learns_what_a_plain_mlp_learns(kind, correct):
    """To the bit; and the difficulty logits learn nothing."""
    head = tiny(kind, difficulty_weight=0.0)
    nets = active(kind)
    outputs = outputs_of(head, nets)
    loss = head.training_loss(outputs, batch_of(correct), nets)
    plain = super(MultiTaskHead, head).training_loss(outputs, batch_of(correct), nets)
    assert isinstance(head, MLPHead)
    assert torch.equal(loss, plain)
    (got,) = torch.autograd.grad(loss.sum(), outputs)
    (want,) = torch.autograd.grad(plain.sum(), outputs)
    assert torch.equal(got, want)
    assert (want[..., : head.num_outputs] != 0).any()
    assert (got[..., head.num_outputs :] == 0).all()


outcome = st.sampled_from([0.0, 1.0, 0.49, 0.5, 0.7, NAN])


@given(st.lists(outcome, min_size=1, max_size=40), st.integers(2, 12), st.sampled_from([0.5, 0.7]))
def test_difficulty_class_is_the_floor_of_the_share(row, classes, threshold):
    labels = share_labels(torch.tensor([row]), classes, threshold)
    seen = [value for value in row if not math.isnan(value)]
    expected = torch.zeros(1, classes)
    if seen:
        share = Fraction(sum(value >= threshold for value in seen), len(seen))
        expected[0, min(math.floor(share * classes), classes - 1)] = 1
    assert torch.equal(labels, expected)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.integers(2, 12))
def test_judged_labels_interpolate_between_class_centres(values, classes):
    labels = judge_labels(torch.tensor([*values, NAN], dtype=torch.float32), classes).numpy()
    centres = (np.arange(classes) + 0.5) / classes
    expected = np.stack([np.interp(1 - np.array(values), centres, row) for row in np.eye(classes)], axis=1)
    np.testing.assert_allclose(labels[:-1], expected, atol=1e-5)
    assert (labels[-1] == 0).all()


def test_hard_is_class_zero_for_outcomes_and_judge_alike():
    hardest = torch.tensor([[1.0, 0, 0, 0, 0]])
    assert torch.equal(share_labels(torch.zeros(1, 4), C), hardest)
    assert torch.equal(judge_labels(torch.ones(1), C), hardest)
    easiest = hardest.flip(1)
    assert torch.equal(share_labels(torch.ones(1, 4), C), easiest)
    assert torch.equal(judge_labels(torch.zeros(1), C), easiest)
    torch.testing.assert_close(judge_labels(torch.tensor([0.4]), C), torch.tensor([[0, 0, 0.5, 0.5, 0]]))


def test_disagreement_weights_by_hand():
    nobody, half, everybody, quarter = [0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]
    missing = [NAN] * 4
    correct = torch.tensor([nobody, half, everybody, quarter, missing], dtype=torch.float32)
    weights = disagreement_weights(correct, 2.0)
    mean = (1 + 3 + 1 + 2.5) / 4
    torch.testing.assert_close(weights[:4], torch.tensor([1, 3, 1, 2.5]) / mean)
    torch.testing.assert_close(disagreement_weights(correct * 0.6, 2.0, 0.6)[:4], weights[:4])
    assert torch.equal(disagreement_weights(correct, 0.0), torch.ones(5))
    assert torch.equal(disagreement_weights(correct[4:], 2.0), torch.ones(1))


@pytest.mark.parametrize("kind", KINDS)
def test_batch_without_any_outcome_teaches_nothing(kind):
    head = tiny(kind, disagreement_weight=1.0)
    nets = active(kind)
    outputs = outputs_of(head, nets)
    loss = head.training_loss(outputs, batch_of(torch.full((B, M), NAN)), nets)
    assert (loss == 0).all()
    (grad,) = torch.autograd.grad(loss.sum(), outputs)
    assert (grad == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_nets_first_outputs(kind):
    head = tiny(kind).eval()
    features = torch.randn(2, B, D, generator=torch.Generator().manual_seed(0))
    logits = head(features)
    assert logits.shape == (2, E, B, M)
    outputs = head.stack(1)(features[1])
    assert outputs.shape == ((E, B, M + C) if kind.joint else (E * M, B, 1 + C))
    for e in range(E):
        for m in range(M):
            expected = outputs[e, :, m] if kind.joint else outputs[e * M + m, :, 0]
            assert torch.equal(logits[1, e, :, m], expected)


def test_a_targets_net_reads_its_own_columns_only():
    head = tiny(MultiTaskMLP, own=2).eval()  # column 0 is common, 1-2 are target 0's, 3-4 target 1's
    features = torch.randn(B, D, generator=torch.Generator().manual_seed(0))
    changed = features.clone()
    changed[:, 3:5] += 1
    before, after = (head.stack(0)(x).reshape(E, M, B, 1 + C) for x in (features, changed))
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert not torch.isclose(before[:, 1], after[:, 1]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 1}, r"head\.num_classes: expected at least 2, found 1"),
        ({"difficulty_weight": -0.1}, r"head\.difficulty_weight: expected 0 or more, found -0\.1"),
        ({"disagreement_weight": NAN}, r"head\.disagreement_weight: expected 0 or more, found nan"),
        (
            {"difficulty_labels": "guess"},
            r"head\.difficulty_labels: expected one of share, judge, found 'guess'",
        ),
        ({"dropout": (0.3,)}, "head.dropout: expected one rate for each of 2 hidden layers, found 1"),
    ],
)
def test_bad_values_are_named(change, message):
    with pytest.raises(UserError, match=message):
        tiny(UnifiedMultiTask, **change)
