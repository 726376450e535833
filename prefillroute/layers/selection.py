"""Reduces the scores of every block and target to at most `max_blocks` blocks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice, empty_table


def choose_blocks(
    blocks: Sequence[Block],
    scores: np.ndarray,
    targets: Sequence[str],
    max_blocks: int,
    table: pd.DataFrame,
    notes: Sequence[str] = (),
) -> LayerChoice:
    """Take every target's best block, then reduce them greedily to `max_blocks` with the least loss of mean score.

    `scores` (B, T): higher is better, NaN = undefined. Each round removes the block whose targets lose least by moving
    to their next best remaining block. Ties keep the block that comes first. Targets without any score do not vote and
    take the block that is best on average.

    Example:
        >>> blocks = [Block("toy", (layer,), "mean", 2) for layer in (1, 2)]
        >>> scores = np.array([[0.9, 0.6], [0.7, 0.7]])
        >>> choose_blocks(blocks, scores, ["a", "b"], max_blocks=1, table=empty_table()).blocks[0].name
        'toy/mean/1/pca2'
    """
    if max_blocks < 1:
        raise UserError(f"layers.max_blocks: expected at least 1, found {max_blocks}")
    scored = ~np.isnan(scores).all(0)
    if not scored.any():
        raise UserError(
            "layers: expected at least one target with right and wrong answers and one layer whose activations vary, "
            "found no target that could be scored on any layer"
        )
    filled = np.where(np.isnan(scores), -np.inf, scores)
    kept = sorted(set(filled[:, scored].argmax(0).tolist()))
    while len(kept) > max_blocks:
        without = [np.delete(filled[np.ix_(kept, scored)], i, axis=0).max(0).mean() for i in range(len(kept))]
        # Of several equal blocks the last is removed, so that the earlier ones stay.
        best = len(without) - 1 - int(np.argmax(without[::-1]))
        del kept[best]
    remaining = filled[kept]
    fallback = int(np.argmax(remaining[:, scored].mean(1)))
    own = np.where(scored, remaining.argmax(0), fallback)
    return LayerChoice(
        blocks=tuple(blocks[index] for index in kept),
        per_target={target: int(index) for target, index in zip(targets, own, strict=True)},
        table=table,
        unscored=tuple(target for target, known in zip(targets, scored, strict=True) if not known),
        notes=tuple(notes),
    )


def one_for_all(
    blocks: Sequence[Block],
    targets: Sequence[str],
    table: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> LayerChoice:
    """The same blocks for every target; the first is named as each target's own."""
    return LayerChoice(
        blocks=tuple(blocks),
        per_target=dict.fromkeys(targets, 0),
        table=empty_table() if table is None else table,
        notes=tuple(notes),
    )
