"""Correctness and difficulty learned by one net: the multi-task networks of the semantic routers (paper section 4.2).

A net outputs its T correctness logits, then C difficulty logits: two linear heads on one trunk, so that a query's
difficulty, which all targets together reveal, shapes the trunk that predicts correctness. Only the correctness
logits are used for routing. Class 0 is the hardest, class C - 1 the easiest.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from prefillroute.errors import UserError
from prefillroute.heads.contract import GroupBatch
from prefillroute.heads.layout import Layout
from prefillroute.heads.mlp_head import MLPHead

# S = nets, B = rows, M = targets, T = targets that one net predicts, C = difficulty classes

DIFFICULTY_LABELS = ("share", "judge")
DIFFICULTY = "difficulty"
"""The extra with a judge's difficulty of each query in [0, 1], 1 = hardest, NaN = not judged."""


class MultiTaskHead(MLPHead):
    """Cross-entropy of the outcomes + `difficulty_weight` * cross-entropy of the query's difficulty class.

    Args:
        num_classes: C.
        difficulty_weight: lambda of the second term; 0 leaves the difficulty logits untrained.
        difficulty_labels: with "share", the class comes from the share of the observed targets that are right on the
            query; with "judge", soft classes come from a judge's difficulty in [0, 1] (1 = hardest), if there is one.
        disagreement_weight: w of a row's weight 1 + w * 4 * share * (1 - share) in the first term, scaled to mean 1
            over the rows of a batch that have outcomes; queries that all targets or none answer count least.

    The other arguments are those of `MLPHead`.

    Raises:
        UserError: a value is out of range, or training with "judge" finds no judged difficulties.
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
        num_classes: int = 5,
        difficulty_weight: float = 0.3,
        difficulty_labels: str = "share",
        disagreement_weight: float = 0.0,
    ) -> None:
        if num_classes < 2:
            raise UserError(f"head.num_classes: expected at least 2, found {num_classes}")
        for key, value in (
            ("difficulty_weight", difficulty_weight),
            ("disagreement_weight", disagreement_weight),
        ):
            if not value >= 0:
                raise UserError(f"head.{key}: expected 0 or more, found {value}")
        if difficulty_labels not in DIFFICULTY_LABELS:
            allowed = ", ".join(DIFFICULTY_LABELS)
            raise UserError(f"head.difficulty_labels: expected one of {allowed}, found {difficulty_labels!r}")
        self.num_classes = num_classes  # before the nets are built: `net_outputs` reads it
        self.difficulty_weight = difficulty_weight
        self.difficulty_labels = difficulty_labels
        self.disagreement_weight = disagreement_weight
        super().__init__(layout, num_targets, num_groups, num_members, seed, hidden, dropout)

    def accepts(self, layout: Layout) -> None:
        """With "judge", the signal must have a judge's difficulty of each query.

        Raises:
            UserError: it has none.
        """
        super().accepts(layout)
        if set(self.reads_extras) - set(layout.extras):
            raise self.misfit(
                "a judge's difficulty of each query",
                ", ".join(layout.extras) or "none",
                "add a signal that has a judge's difficulty, such as signal=embedding_difficulty, or set "
                "head.difficulty_labels=share",
            )

    @property
    def reads_extras(self) -> tuple[str, ...]:
        """A judge's difficulty, with "judge"."""
        return (DIFFICULTY,) if self.difficulty_labels == "judge" else ()

    @property
    def net_outputs(self) -> int:
        """T + C."""
        return self.num_outputs + self.num_classes

    def training_loss(self, outputs: Tensor, batch: GroupBatch, nets: Tensor) -> Tensor:
        """The weighted sum (S,) of both cross-entropies, each a mean over what has been observed."""
        own = self.own_targets(batch.correct, nets)  # (B, T) or (S, B, T)
        logits, classes = outputs[..., : self.num_outputs], outputs[..., self.num_outputs :]
        seen = ~own.isnan()
        rows = disagreement_weights(batch.correct, self.disagreement_weight, batch.threshold)  # (B,)
        weight = seen * rows[:, None]
        losses = binary_cross_entropy_with_logits(
            logits, own.nan_to_num(0.0).expand_as(logits), weight.expand_as(logits), reduction="none"
        )
        correctness = losses.sum(dim=(1, 2)) / seen.sum(dim=(-2, -1)).clamp(min=1)
        labels = self._labels(batch)  # (B, C)
        surprise = -(labels * classes.log_softmax(dim=-1)).sum(dim=(1, 2))
        return correctness + self.difficulty_weight * surprise / labels.sum().clamp(min=1)

    def _labels(self, batch: GroupBatch) -> Tensor:
        if self.difficulty_labels == "share":
            return share_labels(batch.correct, self.num_classes, batch.threshold)
        return judge_labels(batch.extras[DIFFICULTY], self.num_classes)


class MultiTaskMLP(MultiTaskHead):
    """MT: one network per target, with a correctness and a difficulty output (conf/head/multi_task.yaml).

    Example:
        >>> head = MultiTaskMLP(Layout(width=8), num_targets=3, num_members=5)
        >>> head(torch.zeros(1, 4, 8)).shape  # groups, members, queries, targets
        torch.Size([1, 5, 4, 3])
    """

    joint = False


class UnifiedMultiTask(MultiTaskHead):
    """U_emb_MT: one backbone for the correctness of all targets and the difficulty, after TensorOpera's router
    (Stripelis et al. 2024).

    Example:
        >>> head = UnifiedMultiTask(Layout(width=8), num_targets=3, num_members=5, num_classes=2)
        >>> head.stack(0)(torch.zeros(4, 8)).shape  # nets, queries, logits of 3 targets and 2 classes
        torch.Size([5, 4, 5])
    """

    joint = True


def share_labels(correct: Tensor, num_classes: int, threshold: float = 0.5) -> Tensor:
    """(B, C) one-hot class min(floor(share * C), C - 1) of outcomes (B, M); zeros for a row without outcomes.

    `share` is the share of observed targets that are right, with an outcome of at least `threshold`. It is computed in
    integers, because rounding of floats could put 3 of 5 right in either of two classes.

    Example:
        >>> share_labels(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), num_classes=2)
        tensor([[0., 1.],
                [1., 0.]])
    """
    right, seen = _counts(correct, threshold)
    classes = (right * num_classes // seen.clamp(min=1)).clamp(max=num_classes - 1)
    return one_hot(classes, num_classes).to(correct.dtype) * (seen > 0)[:, None]


def judge_labels(difficulty: Tensor, num_classes: int) -> Tensor:
    """(B, C) soft classes of difficulties (B,) in [0, 1], 1 = hardest; zeros where NaN.

    A query's weight is split linearly between the two classes whose centres, (c + 0.5) / C on the scale of ease = 1 -
    difficulty, are nearest; beyond the outermost centres it goes to one class.

    Example:
        >>> judge_labels(torch.tensor([1.0, 0.5]), num_classes=2)
        tensor([[1.0000, 0.0000],
                [0.5000, 0.5000]])
    """
    ease = 1 - difficulty.nan_to_num(0.0)
    place = (ease * num_classes - 0.5).clamp(0, num_classes - 1)  # the centre of class c lies at c
    classes = torch.arange(num_classes, device=difficulty.device, dtype=difficulty.dtype)
    labels = (1 - (place[:, None] - classes).abs()).clamp(min=0)
    return labels * ~difficulty.isnan()[:, None]


def disagreement_weights(correct: Tensor, strength: float, threshold: float = 0.5) -> Tensor:
    """(B,) 1 + strength * 4 * share * (1 - share) of outcomes (B, M), scaled to mean 1 over rows with any."""
    right, seen = _counts(correct, threshold)
    share = right / seen.clamp(min=1)
    weight = 1 + strength * 4 * share * (1 - share)
    observed = seen > 0
    mean = (weight * observed).sum() / observed.sum().clamp(min=1)
    return weight / mean.clamp(min=1)  # below 1 only where no row has outcomes


def _counts(correct: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Targets that are right on each row, and that were observed (B,), int64."""
    return (correct >= threshold).sum(dim=1), (~correct.isnan()).sum(dim=1)
