"""The spend limit: a call begins only if the most it can cost still fits."""

import anyio


class Budget:
    """Money spent and money set aside for the calls in flight, in USD; together they never exceed the limit.

    This holds as long as no call costs more than was set aside for it, `TargetRequest.most_usd` of its prompt.

    Args:
        spent_usd: USD spent by earlier runs.
        limit_usd: USD; None sets no limit.
    """

    def __init__(self, spent_usd: float, limit_usd: float | None) -> None:
        self.spent_usd = spent_usd
        self.limit_usd = limit_usd
        self.exhausted = False
        """Whether a call was refused because it could have exceeded the limit."""
        self._reserved = 0.0
        self._under_way = 0
        self._settled: anyio.Event | None = None

    async def reserve(self, most_usd: float) -> float | None:
        """Set aside the most that one call can cost; if necessary, wait until calls in flight leave room for it.

        Returns:
            The amount set aside, to be passed to ``settle``. None if the call could exceed the limit even on its own,
            in which case it must not begin.
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
        """Book the cost of a call that has ended: 0 if it failed; an unknown cost (None) counts as all set aside."""
        self._under_way -= 1
        # Sums of floats leave a remainder, so the last call to end resets the sum.
        self._reserved = self._reserved - reserved if self._under_way else 0.0
        self.spent_usd += reserved if cost_usd is None else cost_usd
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _fits(self, amount: float) -> bool:
        return self.limit_usd is None or amount <= self.limit_usd * (1 + 1e-12)
