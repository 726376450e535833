"""Graph attention against torch-geometric, and what the head promises."""

import warnings

import pytest
import torch
from sklearn.metrics import roc_auc_score

from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.graph_attention import GraphAttentionHead
from prefillroute.heads.layout import NODES, Layout
from prefillroute.heads.stacked_attention import StackedGraphAttention
from prefillroute.modules.fit import fit_head
from prefillroute.modules.settings import FitSettings
from prefillroute.seeds import seeded_generator

with warnings.catch_warnings():
    # torch-geometric 2.8 scripts a class when it is imported, which torch 2.13 has deprecated.
    warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
    from torch_geometric.nn import GATConv

S, B, n, F, M = 3, 5, 4, 6, 2
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def tiny(groups: int = 1, members: int = S, **hyper: float) -> GraphAttentionHead:
    hyper = {"width": 3, "attention_heads": 2} | hyper
    return GraphAttentionHead(nodes(n * F, n), M, groups, members, seed=1, **hyper)  # type: ignore[arg-type]


def nodes(columns: int, number: int) -> Layout:
    return Layout(columns, content=NODES, num_nodes=number)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(B, n * F, generator=torch.Generator().manual_seed(0))


def layer(columns: int, heads: int, width: int) -> StackedGraphAttention:
    made = StackedGraphAttention([seeded_generator("layer", net) for net in range(S)], columns, heads, width)
    torch.nn.init.normal_(made.bias, generator=seeded_generator("bias"))
    return made


def witness(ours: StackedGraphAttention, net: int) -> GATConv:
    """torch-geometric's layer with the weights of one net."""
    _, heads, width, columns = ours.weight.shape
    theirs = GATConv(columns, width, heads=heads)
    with torch.no_grad():
        theirs.lin.weight.copy_(ours.weight[net].reshape(heads * width, columns))
        theirs.att_dst.copy_(ours.score[net, :, 0][None])
        theirs.att_src.copy_(ours.score[net, :, 1][None])
        theirs.bias.copy_(ours.bias[net])
    return theirs


def complete_graphs() -> torch.Tensor:
    """All edges (2, B * n * n) inside each of B graphs, self loops included."""
    inside = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T
    return torch.cat([inside + n * graph for graph in range(B)], dim=1)


def assert_same_gradients(ours: StackedGraphAttention, net: int, theirs: GATConv) -> None:
    torch.testing.assert_close(
        ours.weight.grad[net].reshape_as(theirs.lin.weight), theirs.lin.weight.grad, **CLOSE
    )
    torch.testing.assert_close(ours.score.grad[net, :, 0], theirs.att_dst.grad[0], **CLOSE)
    torch.testing.assert_close(ours.score.grad[net, :, 1], theirs.att_src.grad[0], **CLOSE)
    torch.testing.assert_close(ours.bias.grad[net], theirs.bias.grad, **CLOSE)


def test_every_node_equals_torch_geometric():
    ours = layer(F, heads=2, width=3)
    nodes = torch.randn(F, B, n, generator=seeded_generator("nodes"))
    out = ours(nodes)  # (S, H * W, B, n)
    aim = torch.randn(out.shape, generator=seeded_generator("aim"))
    (out * aim).sum().backward()
    for net in range(S):
        theirs = witness(ours, net)
        expected = theirs(nodes.permute(1, 2, 0).reshape(B * n, F), complete_graphs()).view(B, n, -1)
        torch.testing.assert_close(out[net].permute(1, 2, 0), expected, **CLOSE)
        (expected * aim[net].permute(1, 2, 0)).sum().backward()
        assert_same_gradients(ours, net, theirs)


@pytest.mark.parametrize("heads", [1, 2])
def test_first_node_equals_torch_geometric(heads: int):
    ours = layer(F, heads, width=5)
    nodes = torch.randn(S, F, B, n, generator=seeded_generator("nodes"), requires_grad=True)
    out = ours.first_node(nodes)  # (S, H * W, B)
    aim = torch.randn(out.shape, generator=seeded_generator("aim"))
    (out * aim).sum().backward()
    for net in range(S):
        theirs = witness(ours, net)
        leaf = nodes[net].detach().clone().requires_grad_()
        expected = theirs(leaf.permute(1, 2, 0).reshape(B * n, F), complete_graphs()).view(B, n, -1)[:, 0]
        torch.testing.assert_close(out[net].T, expected, **CLOSE)
        (expected * aim[net].T).sum().backward()
        assert_same_gradients(ours, net, theirs)
        torch.testing.assert_close(nodes.grad[net], leaf.grad, **CLOSE)


def test_logits_are_both_layers_and_a_readout_of_the_query(features):
    head = tiny().eval()
    stack = head.stack(0)
    logits = stack(features)
    x = features.view(B * n, F)
    for net in range(S):
        hidden = torch.nn.functional.elu(witness(stack.nodes, net)(x, complete_graphs()))  # type: ignore[arg-type]
        out = witness(stack.query, net)(hidden, complete_graphs())  # type: ignore[arg-type]
        query = torch.nn.functional.elu(out).view(B, n, -1)[:, 0]
        read = torch.cat([query, x.view(B, n, F)[:, 0]], dim=1)
        weight, bias = stack.readout.weight[net], stack.readout.bias[net, :, 0]  # type: ignore[union-attr, index]
        torch.testing.assert_close(logits[net], read @ weight.T + bias, **CLOSE)


def test_order_of_the_neighbours_does_not_matter_but_the_query_does(features):
    head = tiny().eval()
    nodes = features.view(B, n, F)
    before = head.group_logits(0, features)
    shuffled = nodes[:, [0, 3, 1, 2]].reshape(B, -1)
    torch.testing.assert_close(head.group_logits(0, shuffled), before, **CLOSE)
    swapped = nodes[:, [1, 0, 2, 3]].reshape(B, -1)
    assert not torch.allclose(head.group_logits(0, swapped), before, atol=1e-3)


def test_members_side_by_side_equal_members_alone(features):
    head = tiny(members=S).eval()
    together = head.group_logits(0, features)
    for member in range(S):
        torch.testing.assert_close(head.select(0, [member]).group_logits(0, features)[0], together[member])


def test_dropout_is_seeded_and_off_in_eval(features):
    stack = tiny(dropout=0.5).train().stack(0)
    a, b, c = (stack(features, seeded_generator("x", i)) for i in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    stack.eval()
    assert torch.equal(stack(features, seeded_generator("x", 0)), stack(features))


@pytest.mark.parametrize(
    ("hyper", "message"),
    [
        ({"width": 0}, r"head\.width: expected .*, found 0"),
        ({"attention_heads": 0}, r"head\.attention_heads: expected .*, found 0"),
        ({"dropout": 1.0}, r"head\.dropout: expected .*, found 1\.0"),
    ],
)
def test_bad_values_are_named(hyper, message):
    with pytest.raises(UserError, match=message):
        tiny(**hyper)


@pytest.mark.parametrize("number", [1, 5])
def test_nodes_that_do_not_fit_are_refused(number):
    message = f"expected the columns of a query and its neighbours, found 24 columns of {number} nodes; use signal=ego_"
    with pytest.raises(UserError, match=message):
        GraphAttentionHead(nodes(24, number), M)


def near_ones(rows: int, targets: int, neighbours: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ego graphs (N, (1 + k) F) whose first column is the distance to the query, and outcomes (N, M): those of the
    nearest neighbour, wherever it stands.
    """
    rng = torch.Generator().manual_seed(0)
    place = torch.rand(rows, neighbours, 2, generator=rng)
    seen = (torch.rand(rows, neighbours, targets, generator=rng) < 0.5).float()
    nodes = torch.zeros(rows, 1 + neighbours, 2 + targets + 1)
    nodes[:, 1:, :2], nodes[:, 1:, 2:-1], nodes[:, 1:, -1] = 4 * place, seen - 0.5, 1
    correct = seen[torch.arange(rows), place[..., 0].argmin(1)]
    return nodes.flatten(1), correct


def fit_near_ones(members: int, epochs: int, dropout: float, rows: int = 400):
    features, correct = near_ones(rows, M, neighbours=5)
    part = torch.arange(rows) * 20 // rows
    train, valid = (part < 12)[None], ((part >= 12) & (part < 15))[None]
    head = GraphAttentionHead(
        nodes(features.shape[1], 6), M, 1, members, width=8, attention_heads=2, dropout=dropout
    )
    settings = FitSettings(
        num_members=members, num_kept=members, max_epochs=epochs, batch_size=32, learning_rate=2e-2,
        weight_decay=0, accelerator="cpu", progress_bar=False,
    )  # fmt: skip
    fitted = fit_head(head, FoldedData(features[None], correct, train, valid), settings)
    return fitted, features, correct, part >= 15


def test_learns_to_copy_the_nearest_neighbours_outcome():
    fitted, features, correct, test = fit_near_ones(members=2, epochs=12, dropout=0.0)
    logits = fitted.logits(features[None])[0]
    votes = features.view(len(features), 6, -1)[:, 1:, 2:-1].mean(1)
    for target in range(M):
        assert roc_auc_score(correct[test, target], votes[test, target]) < 0.8
        assert roc_auc_score(correct[test, target], logits[test, target]) > 0.9


def test_members_trained_side_by_side_equal_members_trained_alone():
    pair, features, *_ = fit_near_ones(members=2, epochs=3, dropout=0.0, rows=120)
    alone, *_ = fit_near_ones(members=1, epochs=3, dropout=0.0, rows=120)
    place = int((pair.kept[0] == 0).argmax())
    torch.testing.assert_close(
        pair.final.group_logits(0, features)[place], alone.final.group_logits(0, features)[0], **CLOSE
    )
