"""How many trainings stand behind a predictor."""

import pytest

from prefillroute.heads.contract import Head
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic import LogisticHead
from prefillroute.heads.multi_task import MultiTaskMLP, UnifiedMultiTask
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.training.predictors import num_fits


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (SharedTrunkNet, 6 * 3),
        (UnifiedMultiTask, 6 * 3),
        (MultiTaskMLP, 6 * 3 * 5),  # one net per target
        (LogisticHead, 6 * 5),  # solved, whatever the number of members
    ],
)
def test_groups_times_members_times_targets_that_have_their_own(kind: type[Head], expected: int) -> None:
    head = kind(Layout(4), 5, num_groups=6, num_members=3)
    nets = sum(stack.num_nets for stack in map(head.stack, range(6)))
    assert num_fits(head) == expected
    assert kind is LogisticHead or num_fits(head) == nets
