"""SharedTrunkNet: one trunk for all targets, one logit each (paper section 4.3, DESIGN section 7)."""

from collections.abc import Sequence
from typing import Any

from prefillroute.heads.contract import Head
from prefillroute.heads.seeds import seeded_generator
from prefillroute.heads.stacked import StackedMLP, check_shape


class SharedTrunkNet(Head):
    """Linear-ReLU-Dropout for each hidden width, then one logit per target.

    Args:
        hidden: trunk widths.
        dropout: one rate per hidden layer, honoured to the nearest 1/256.

    Raises:
        UserError: widths or rates out of range.
    """

    joint = True

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
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(StackedMLP(generators, in_features, hidden, dropout, num_targets))

    def hyper(self) -> dict[str, Any]:
        """`hidden` and `dropout` as lists."""
        return {"hidden": list(self.hidden), "dropout": list(self.dropout)}
