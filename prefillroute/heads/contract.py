"""The interface of every head: groups x members of nets that map features to one logit per target.

Letters in shapes: G groups (0 = the final fit on all training rows, 1..K = the folds), E members, B rows, D
features, M targets, S nets of one group side by side, T targets that one net predicts (M for a joint head, 1
otherwise), O outputs of one net: first its T logits, then any auxiliary outputs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from prefillroute.errors import UserError
from prefillroute.heads.layout import LABELS, NODES, NUMBERS, Layout
from prefillroute.heads.logits import masked_bce
from prefillroute.spec import Stored


class NetStack(nn.Module):
    """The S nets of one group. One rule: every parameter and buffer has the nets as its leading dimension.

    That rule lets training drop nets that have stopped, remember each net's best state, and cut out the kept
    members, all without knowing what the nets look like.
    """

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outputs (S, B, O) of features (B, D); `generator` feeds dropout in training mode."""
        raise AssertionError("a NetStack must define forward")

    @property
    def num_nets(self) -> int:
        """S, the nets that are still in the stack."""
        return next(iter(self.state_dict(keep_vars=True).values())).shape[0]

    def keep_nets(self, positions: Tensor) -> None:
        """Shrink to the nets at `positions` (int64), in that order; gradients are dropped."""
        for tensor in self.state_dict(keep_vars=True).values():
            tensor.grad = None
            tensor.data = tensor.data.index_select(0, positions.to(tensor.device))


class GroupBatch(NamedTuple):
    """Rows of one group, and what counts as right in them."""

    features: Tensor
    """(B, D)"""
    correct: Tensor
    """(B, M) in [0, 1], NaN = missing."""
    extras: Mapping[str, Tensor]
    """(B,) each: what the signal knows of the queries beside their features (`Layout.extras`)."""
    threshold: float = 0.5
    """Least outcome that counts as right where right and wrong are needed."""


class Head(nn.Module, Stored):
    """G groups of E members. A subclass fills `groups` with one `NetStack` each.

    `joint` heads have one net per member that predicts all targets (S = E); the others one net per member and
    target (S = E * M, net ``e * M + m`` predicts target m), so that each target stops, and keeps its best
    members, on its own.

    Args:
        layout: what the D columns of the features are. A head that predicts each target separately reads the common
            columns and that target's own; a joint head reads all.
        num_targets: M.
        num_groups: G.
        num_members: E.
        seed: seed of everything random in the nets.

    Raises:
        UserError: a size is not positive, or this head cannot read such features.
    """

    joint: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = (NUMBERS, LABELS, NODES)
    """Contents of a layout that this head can read."""
    wanted_signal: ClassVar[str] = "signal=prefill or another whose features are numbers"
    """What to use instead of a signal that it cannot read."""

    def __init__(
        self, layout: Layout, num_targets: int, num_groups: int = 1, num_members: int = 1, seed: int = 0
    ) -> None:
        super().__init__()
        sizes = {
            "layout.width": layout.width,
            "num_targets": num_targets,
            "num_groups": num_groups,
            "num_members": num_members,
        }
        for key, value in sizes.items():
            if value < 1:
                raise UserError(f"head.{key}: expected at least 1, found {value}")
        assert layout.common(num_targets) >= 0, (layout, num_targets)
        self.accepts(layout)
        self.layout = layout
        self.num_targets = num_targets
        self.num_groups = num_groups
        self.num_members = num_members
        self.seed = seed
        self.groups = nn.ModuleList()

    def accepts(self, layout: Layout) -> None:
        """Check that this head can read such features; the constructor does so before it builds any net.

        A subclass whose answer depends on its hyper-parameters sets these before it calls the base's constructor.

        Raises:
            UserError: it cannot; the message names the signal wanted.
        """
        if layout.content not in self.reads:
            expected = f"features that are {' or '.join(self.reads)}"
            raise self.misfit(expected, layout.content, f"use {self.wanted_signal}")

    def misfit(self, expected: str, found: str, way_out: str) -> UserError:
        """The error that `accepts` raises."""
        return UserError(f"head {type(self).__name__}: expected {expected}, found {found}; {way_out}")

    @property
    def reads_extras(self) -> tuple[str, ...]:
        """The extras of a layout that the loss reads; training passes exactly these."""
        return ()

    @property
    def in_features(self) -> int:
        """D."""
        return self.layout.width

    @property
    def own_features(self) -> int:
        """Number of columns that each target has for itself, such as kNN statistics."""
        return len(self.layout.own)

    def fitted(self) -> dict[str, Any]:
        """All weights, by their names in the state dict."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.state_dict().items()}

    def refit(self, fitted: Mapping[str, Any]) -> None:
        """Take over such weights and switch to evaluation mode.

        Raises:
            UserError: they have other names or shapes.
        """
        try:
            self.load_state_dict({name: torch.tensor(array) for name, array in fitted.items()})
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise UserError(f"head weights do not fit {type(self).__name__}: {reason:.300}") from None
        self.eval()

    def stack(self, group: int) -> NetStack:
        """The nets of one group."""
        stack = self.groups[group]
        assert isinstance(stack, NetStack)
        return stack

    def forward(self, features: Tensor) -> Tensor:
        """Logits (G, E, B, M) of features (G, B, D)."""
        assert features.shape[0] == self.num_groups, (features.shape, self.num_groups)
        return torch.stack([self.group_logits(g, features[g]) for g in range(self.num_groups)])

    @property
    def num_outputs(self) -> int:
        """T, the targets that one net predicts."""
        return self.num_targets if self.joint else 1

    @property
    def fits_per_member(self) -> int:
        """Number of separately fitted predictors in one member: one for all targets, or one for each."""
        return 1 if self.joint else self.num_targets

    @property
    def features_per_target(self) -> int:
        """Number of columns that a target's own predictor reads: the common ones and its own."""
        return self.layout.common(self.num_targets) + self.own_features

    def target_features(self, features: Tensor, target: int) -> Tensor:
        """The columns (B, features_per_target) of features (B, D) that target m's own predictor reads."""
        if not self.own_features:
            return features
        common = self.layout.common(self.num_targets)
        start = common + target * self.own_features
        own = features[:, start : start + self.own_features]
        return torch.cat([features[:, :common], own], dim=1)

    def own_targets(self, correct: Tensor, nets: Tensor) -> Tensor:
        """Outcomes (B, M) as `nets` (S,) predict them: unchanged for a joint head, else (S, B, 1)."""
        if self.joint:
            return correct
        return correct.T[nets.to(correct.device) % self.num_targets].unsqueeze(2)

    def training_loss(self, outputs: Tensor, batch: GroupBatch, nets: Tensor) -> Tensor:
        """The loss of each net (S,); by default the mean cross-entropy of the observed outcomes.

        Args:
            outputs: (S, B, O) of `nets` (S,), which are their numbers in the group.
            batch: the B rows, with at least the extras of `reads_extras`.
        """
        total, count = masked_bce(outputs[..., : self.num_outputs], self.own_targets(batch.correct, nets))
        return total / count.clamp(min=1)

    def group_logits(self, group: int, features: Tensor) -> Tensor:
        """Logits (E, B, M) of one group on features (B, D)."""
        logits = self.stack(group)(features)[..., : self.num_outputs]  # (S, B, T)
        if self.joint:
            return logits
        # (E * M, B, 1) -> (E, M, B) -> (E, B, M)
        return logits.reshape(self.num_members, self.num_targets, -1).transpose(1, 2)

    def nets_of(self, members: Sequence[int] | np.ndarray) -> Tensor:
        """Net numbers (S',) of `members`: (K,), or (K, M) where each target keeps its own."""
        chosen = torch.as_tensor(np.asarray(members, dtype=np.int64))
        if self.joint:
            assert chosen.ndim == 1, "a joint head keeps whole members"
            return chosen
        if chosen.ndim == 1:
            chosen = chosen[:, None].expand(-1, self.num_targets)
        return (chosen * self.num_targets + torch.arange(self.num_targets)).reshape(-1)

    def select(self, group: int, members: Sequence[int] | np.ndarray) -> Self:
        """Return a head of one group with the given members, which is what a router bundle ships."""
        chosen = type(self)(**self.arguments() | {"num_groups": 1, "num_members": len(members)})
        nets = self.nets_of(members)
        mine = self.stack(group).state_dict()
        chosen.stack(0).load_state_dict({key: value[nets] for key, value in mine.items()})
        return chosen.train(self.training)


class ClosedFormHead(Head):
    """A head with one member that is solved rather than trained by gradient steps."""

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Solve every group.

        Args:
            features: (G, N, D) float.
            correct: (N, M) float in [0, 1], NaN = missing.
            train: (G, N) bool, the rows each group may learn from.
            valid: (G, N) bool, the rows on which a hyper-parameter may be chosen; None if there is nothing to choose.
        """
        raise AssertionError("a ClosedFormHead must define fit")
