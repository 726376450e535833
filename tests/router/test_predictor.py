import numpy as np
import pytest
import torch
from torch import Tensor

from prefillroute.calibration.none import NoCalibrator
from prefillroute.errors import UserError
from prefillroute.heads.constant import ConstantHead
from prefillroute.heads.contract import Head
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.independent_mlp import IndependentMLP
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.layers.choice import Block
from prefillroute.layers.features import BlockTransform
from prefillroute.layers.source import ArraySource
from prefillroute.router.predictor import Predictor
from prefillroute.router.single_query import SingleQuery

WIDTH, ROWS, TARGETS = 24, 7, 5
BLOCKS = (Block("e", (1,), "last", 6), Block("e", (0, 2), "last", 4))


def random_transform() -> BlockTransform:
    generator = torch.Generator().manual_seed(1)
    widths = [WIDTH * len(block.layers) for block in BLOCKS]
    means = tuple(300 * torch.randn(width, generator=generator) for width in widths)
    weights = tuple(
        torch.randn(width, block.dim, generator=generator) / width**0.5
        for width, block in zip(widths, BLOCKS, strict=True)
    )
    return BlockTransform(BLOCKS, means, weights)


def activations(transform: BlockTransform) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        (mean.numpy() + 2 * rng.standard_normal((ROWS, len(mean)))).astype(np.float32)
        for mean in transform.means
    ]


HEADS = {
    "shared": lambda: SharedTrunkNet(Layout(10), TARGETS, num_members=3, hidden=(16, 8)),
    "deep": lambda: SharedTrunkNet(
        Layout(10), TARGETS, num_members=2, hidden=(9, 8, 7), dropout=(0.1, 0.1, 0.1)
    ),
    "independent": lambda: IndependentMLP(Layout(10), TARGETS, num_members=3, hidden=(6, 5)).select(
        0, np.array([[0, 1, 2, 0, 1], [2, 2, 1, 1, 0]])
    ),
    "constant": lambda: ConstantHead(Layout(10), TARGETS),
}


@pytest.mark.parametrize("name", HEADS)
def test_one_query_and_many_agree_with_the_training_code(name):
    head: Head = HEADS[name]()
    transform = random_transform()
    given = activations(transform)
    source = ArraySource(
        "e",
        2,
        {
            (1, "last"): given[0],
            (0, "last"): given[1][:, :WIDTH],
            (2, "last"): given[1][:, WIDTH:],
        },
    )
    features = torch.from_numpy(transform.transform(source))
    wanted: Tensor = ensemble_logits(head.eval(), features[None])[0]
    predictor = Predictor(transform, head, NoCalibrator())
    assert (SingleQuery.of(transform, head) is None) == (name == "constant")
    np.testing.assert_allclose(predictor.logits(given), wanted, atol=1e-6)
    for row in range(ROWS):
        single = predictor.logits([block[row : row + 1] for block in given])
        np.testing.assert_allclose(single[0], wanted[row], atol=1e-5)


def test_members_that_are_certain_stay_finite():
    head = SharedTrunkNet(Layout(10), TARGETS, num_members=2, hidden=(4, 4)).eval()
    with torch.no_grad():
        head.stack(0).layers[-1].bias[:] = 500.0
        head.stack(0).layers[-1].bias[:, 0] = -500.0
    predictor = Predictor(random_transform(), head, NoCalibrator())
    given = activations(random_transform())
    single = predictor([block[:1] for block in given])
    np.testing.assert_allclose(single[0], [1e-6] + [1 - 1e-6] * 4, rtol=1e-5)
    np.testing.assert_allclose(predictor(given)[:1], single, rtol=1e-5)


def test_a_head_of_another_size_is_refused():
    with pytest.raises(UserError, match=r"expected the 10 features of .* found 9 features in 1 groups"):
        Predictor(random_transform(), SharedTrunkNet(Layout(9), TARGETS), NoCalibrator())
