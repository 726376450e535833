"""Who does what: the share of one job among several that fill a cache together."""

from dataclasses import dataclass

import numpy as np

from prefillroute.config.request import ShareConfig
from prefillroute.errors import UserError
from prefillroute.extraction.batches import plan_batches

BLOCK_TOKENS = 1024
"""Queries of similar length are dealt out in blocks of about so many tokens, whatever batches a backend makes."""


@dataclass
class WorkShare(ShareConfig):
    """`ShareConfig` with its values checked.

    Raises:
        UserError: `num` is below 1, or `index` is not one of 0..num - 1.

    Example:
        >>> import numpy as np
        >>> lengths = np.array([600, 500, 900, 10])
        >>> [WorkShare(num=2, index=index).rows(lengths).tolist() for index in (0, 1)]
        [[2, 1, 3], [0]]
    """

    def __post_init__(self) -> None:
        if self.num < 1:
            raise UserError(f"share.num: expected 1 or more, found {self.num}")
        if not 0 <= self.index < self.num:
            raise UserError(f"share.index: expected 0 to {self.num - 1}, found {self.index}")

    @property
    def label(self) -> str:
        """How a shard names the job that fills it, for instance `0/1`."""
        return f"{self.index}/{self.num}"

    def rows(self, lengths: np.ndarray) -> np.ndarray:
        """The rows of this job. All jobs divide the same rows in the same way, whatever is cached when they start.

        Args:
            lengths: (N,) tokens per row, all positive.

        Returns:
            (n,) row numbers; every row belongs to one of the `num` jobs.
        """
        blocks = plan_batches(lengths, BLOCK_TOKENS)[self.index :: self.num]
        return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.int64)
