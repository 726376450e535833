"""The spend limit: a call begins only where the most that it can cost still fits."""

import anyio


class Budget:
    """Money spent and money set aside for the calls under way, in USD; together they never pass the limit.

    That holds as far as no call costs more than what was set aside for it: `TargetRequest.most_usd` of its prompt.

    Args:
        spent_usd: by the runs before this one.
        limit_usd: None sets no limit.
    """

    def __init__(self, spent_usd: float, limit_usd: float | None) -> None:
        self.spent_usd = spent_usd
        self.limit_usd = limit_usd
        self.exhausted = False
        """A call was refused: it could have passed the limit."""
        self._reserved = 0.0
        self._under_way = 0
        self._settled: anyio.Event | None = None

    async def reserve(self, most_usd: float) -> float | None:
        """Set aside the most that one call can cost, waiting for calls under way to leave room where need be.

        Returns:
            What was set aside, for ``settle``; None: even alone the call could pass the limit, so do not begin it.
        """
        while not self._fits(self.spent_usd + self._reserved + most_usd):
            if not self._fits(self.spent_usd + most_usd):
                self.exhausted = True
                return None
            if self._settled is None:
                self._settled = anyio.Event()
            await self._settled.wait()
        self._reserved += most_usd
        self._under_way += 1
        return most_usd

    def settle(self, reserved: float, cost_usd: float | None) -> None:
        """The call ended and cost so much, 0 where it failed; None, unknown, counts as all that was set aside."""
        self._under_way -= 1
        self._reserved = self._reserved - reserved if self._under_way else 0.0  # sums of floats leave crumbs
        self.spent_usd += reserved if cost_usd is None else cost_usd
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _fits(self, amount: float) -> bool:
        return self.limit_usd is None or amount <= self.limit_usd * (1 + 1e-12)
