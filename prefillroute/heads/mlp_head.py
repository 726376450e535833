"""Code shared by SharedTrunkNet and its independent ablation: widths, dropout, and the construction of nets."""

from collections.abc import Sequence

from prefillroute.heads.contract import Head
from prefillroute.heads.layout import Layout
from prefillroute.heads.own_features import OwnFeaturesMLP
from prefillroute.heads.stacked import StackedMLP, hidden_rates
from prefillroute.seeds import seeded_generator


class MLPHead(Head):
    """Linear-ReLU-Dropout for each hidden width, then a logit for each target that a net predicts.

    Args:
        hidden: widths of each net.
        dropout: one rate per hidden layer, or one number for all of them; rounded to the nearest 1/256.

    Raises:
        UserError: a width or rate is out of range.
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        hidden: Sequence[int] = (256, 128),
        dropout: float | Sequence[float] = (0.3, 0.2),
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        self.dropout = hidden_rates(hidden, dropout)
        self.hidden = tuple(hidden)
        for group in range(num_groups):
            self.groups.append(self._nets(group))

    @property
    def net_outputs(self) -> int:
        """O; it exceeds T for a head with auxiliary outputs."""
        return self.num_outputs

    def _nets(self, group: int) -> StackedMLP:
        members, per_member = range(self.num_members), range(1 if self.joint else self.num_targets)
        nets = [(member, target) for member in members for target in per_member]
        # A net's place in the ensemble seeds it, so that nets do not change when groups are added.
        generators = [
            seeded_generator(self.seed, "init", group, *(net[:1] if self.joint else net)) for net in nets
        ]
        if self.joint or not self.own_features:
            return StackedMLP(generators, self.in_features, self.hidden, self.dropout, self.net_outputs)
        return OwnFeaturesMLP(
            generators,
            [target for _, target in nets],
            self.num_targets,
            self.own_features,
            self.in_features,
            self.hidden,
            self.dropout,
            self.net_outputs,
        )
