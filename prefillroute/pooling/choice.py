"""The available poolings, and the ones that a run may use."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefillroute.errors import UserError
from prefillroute.pooling.last import LastPooling
from prefillroute.pooling.mean import MeanPooling

POOLINGS: dict[str, type[LastPooling] | type[MeanPooling]] = {"last": LastPooling, "mean": MeanPooling}
"""Poolings by the name under which a cache stores them."""


@dataclass(frozen=True)
class PoolingChoice:
    """The poolings that the layer choice may pick from.

    Raises:
        UserError: a name is unknown or duplicated, or there is none.

    Example:
        >>> PoolingChoice(["mean"]).names
        ['mean']
    """

    names: Sequence[str] = ("last", "mean")

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in POOLINGS]
        if unknown or not self.names or len(set(self.names)) < len(self.names):
            raise UserError(
                f"pooling.names: expected some of {', '.join(POOLINGS)}, each once, found {list(self.names)}"
            )
