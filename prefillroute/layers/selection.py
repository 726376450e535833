"""Selects blocks from a table of scores, and says which of them serves each target best.

B = blocks of the table, K = blocks kept, T = targets.
"""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block, LayerChoice
from prefillroute.layers.table import ProbeTable


def choose_blocks(table: ProbeTable, scores: np.ndarray, max_blocks: int) -> LayerChoice:
    """Take every target's best block, then reduce them greedily to `max_blocks` with the least loss of mean score.

    Each round removes the block whose targets lose least by moving to their next best remaining block. Ties keep the
    block that comes first. Targets without any score do not vote and take the block that is best on average.

    Args:
        table: the blocks, of one encoder or of several.
        scores: (B, T), higher is better, NaN = undefined.
        max_blocks: most blocks that are kept.

    Raises:
        UserError: `max_blocks` is below 1, or no target has a score on any block.

    Example:
        >>> from prefillroute.layers.choice import empty_table
        >>> blocks = tuple(Block("toy", (layer,), "mean", 2) for layer in (1, 2))
        >>> table = ProbeTable(("a", "b"), blocks, empty_table(), {"toy": 2})
        >>> choose_blocks(table, np.array([[0.9, 0.6], [0.7, 0.7]]), max_blocks=1).blocks[0].name
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
    return best_of(table, scores, kept)


def best_of(table: ProbeTable, scores: np.ndarray, kept: Sequence[int]) -> LayerChoice:
    """The blocks numbered `kept`; each target is served by the one with its greatest score, the first of equals.

    Targets without a score on any block of the table take the kept block that is best on average.
    """
    scored = ~np.isnan(scores).all(0)
    remaining = np.where(np.isnan(scores), -np.inf, scores)[list(kept)]  # (K, T)
    fallback = int(np.argmax(remaining[:, scored].mean(1)))
    own = np.where(scored, remaining.argmax(0), fallback)
    return LayerChoice(
        blocks=tuple(table.blocks[index] for index in kept),
        per_target={target: int(index) for target, index in zip(table.targets, own, strict=True)},
        table=table.frame,
        unscored=tuple(target for target, known in zip(table.targets, scored, strict=True) if not known),
        notes=table.notes,
        depths=table.depths,
    )


def one_for_all(table: ProbeTable, blocks: Sequence[Block]) -> LayerChoice:
    """The same blocks for every target; the first is named as each target's own."""
    return LayerChoice(
        blocks=tuple(blocks),
        per_target=dict.fromkeys(table.targets, 0),
        table=table.frame,
        notes=table.notes,
        depths=table.depths,
    )
