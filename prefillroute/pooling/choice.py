"""Which poolings there are, and which of them a run may use."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefillroute.errors import UserError
from prefillroute.pooling.last import LastPooling
from prefillroute.pooling.mean import MeanPooling

POOLINGS: dict[str, type[LastPooling] | type[MeanPooling]] = {"last": LastPooling, "mean": MeanPooling}
"""By the name that a cache stores them under."""


@dataclass(frozen=True)
class PoolingChoice:
    """The poolings that the layer choice may pick from.

    Raises:
        UserError: an unknown name, a name twice, or none.
    """

    names: Sequence[str] = ("last", "mean")

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in POOLINGS]
        if unknown or not self.names or len(set(self.names)) < len(self.names):
            raise UserError(
                f"pooling.names={list(self.names)}: wanted some of {', '.join(POOLINGS)}, each once"
            )
