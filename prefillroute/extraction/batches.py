"""Batches of similar length under a budget of padded tokens."""

import numpy as np


def plan_batches(lengths: np.ndarray, tokens_per_batch: int, seed: int = 0) -> list[np.ndarray]:
    """Bucket by length: sort, then fill each batch as long as rows times longest row fit the budget.

    The batch that needs the most memory comes first, so that a device that is too small fails at once. The others
    follow in shuffled order, so that the remaining time can be estimated early and an interrupted extraction holds a
    random sample of the queries.

    Args:
        lengths: (N,) tokens per row, all positive.
        tokens_per_batch: padded tokens; a longer row becomes a batch of its own.
        seed: seed of the shuffle.

    Returns:
        Row numbers, one array per batch.
    """
    order = np.argsort(lengths, kind="stable")[::-1]
    batches: list[np.ndarray] = []
    start = 0
    while start < len(order):
        count = max(1, tokens_per_batch // int(lengths[order[start]]))  # the first is the longest
        batches.append(order[start : start + count])
        start += count
    rest = batches[1:]
    shuffle = np.random.default_rng(seed).permutation(len(rest))
    return batches[:1] + [rest[i] for i in shuffle]


def padding_share(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Share of padding among the tokens that go through the encoder."""
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1 - float(lengths[np.concatenate(batches)].sum()) / padded if batches else 0.0
