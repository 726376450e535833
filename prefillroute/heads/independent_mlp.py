"""One multilayer perceptron per target, nothing shared: the ablation of SharedTrunkNet's trunk."""

from collections.abc import Sequence
from typing import Any

from prefillroute.heads.contract import Head
from prefillroute.heads.seeds import seeded_generator
from prefillroute.heads.stacked import StackedMLP, check_shape


class IndependentMLP(Head):
    """Per target the same net as SharedTrunkNet's with a single output, stopped and ranked for that target
    alone.

    It has the same widths, members and epochs for every target that SharedTrunkNet has for all of them
    together, so with M targets it costs M times as much to train.

    Args:
        hidden: widths of each net.
        dropout: one rate per hidden layer, honoured to the nearest 1/256.

    Raises:
        UserError: widths or rates out of range.
    """

    joint = False

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
            generators = [
                seeded_generator(seed, "init", group, member, target)
                for member in range(num_members)
                for target in range(num_targets)
            ]
            self.groups.append(StackedMLP(generators, in_features, hidden, dropout, 1))

    def hyper(self) -> dict[str, Any]:
        """`hidden` and `dropout` as lists."""
        return {"hidden": list(self.hidden), "dropout": list(self.dropout)}
