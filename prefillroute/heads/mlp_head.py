"""What SharedTrunkNet and its independent ablation share: widths, dropout, and nets of the same build."""

from collections.abc import Sequence
from typing import Any

from prefillroute.heads.contract import Head
from prefillroute.heads.seeds import seeded_generator
from prefillroute.heads.stacked import StackedMLP, check_shape


class MLPHead(Head):
    """Linear-ReLU-Dropout for each hidden width, then a logit for each target that a net predicts.

    Args:
        hidden: widths of each net.
        dropout: one rate per hidden layer, honoured to the nearest 1/256.

    Raises:
        UserError: widths or rates out of range.
    """

    def __init__(
        self,
        in_features: int,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        hidden: Sequence[int] = (256, 128),
        dropout: Sequence[float] = (0.3, 0.2),
    ) -> None:
        super().__init__(in_features, num_targets, num_groups, num_members, seed)
        check_shape(hidden, dropout)
        self.hidden = tuple(hidden)
        self.dropout = tuple(dropout)
        # A net's place in the ensemble seeds it, so that nets do not change when groups are added.
        nets = [
            (member,) if self.joint else (member, target)
            for member in range(num_members)
            for target in range(1 if self.joint else num_targets)
        ]
        outputs = num_targets if self.joint else 1
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, *net) for net in nets]
            self.groups.append(StackedMLP(generators, in_features, hidden, dropout, outputs))

    def hyper(self) -> dict[str, Any]:
        """`hidden` and `dropout` as lists."""
        return {"hidden": list(self.hidden), "dropout": list(self.dropout)}
