"""What to read of a model: everything that a person chooses and that changes the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefillroute.caches.identity import STORAGE_DTYPES, CacheIdentity
from prefillroute.config.request import RequestConfig
from prefillroute.errors import UserError
from prefillroute.pooling.choice import known_poolings

ALL_LAYERS_UP_TO_B = 1.0
"""Encoders with up to this many 10^9 parameters get all layers by default (DESIGN section 7)."""
DTYPES = ("auto", "float32", "bfloat16")


@dataclass
class ReadRequest(RequestConfig):
    """`RequestConfig` with its values checked. Embedders and language models read `max_length` and `dtype` of it.

    Raises:
        UserError: a value is out of range; the message names the key, the value and what is expected.

    Example:
        >>> ReadRequest(layers="upper").layer_ids(num_layers=4, params_b=0.1)
        (2, 3, 4)
    """

    def __post_init__(self) -> None:
        if isinstance(self.layers, str | None):
            valid = self.layers in (None, "all", "upper")
        else:
            valid = isinstance(self.layers, Sequence) and all(type(layer) is int for layer in self.layers)
        if not valid:
            raise UserError(
                f"request.layers: expected all, upper or a list of layer ids, found {self.layers}"
            )
        unknown = [name for name in self.poolings if name not in known_poolings()]
        if unknown or not self.poolings:
            raise UserError(
                f"request.poolings: expected some of {sorted(known_poolings())}, found {list(self.poolings)}"
            )
        for key, value, allowed in (
            ("dtype", self.dtype, DTYPES),
            ("storage_dtype", self.storage_dtype, STORAGE_DTYPES),
        ):
            if value not in allowed:
                raise UserError(f"request.{key}: expected {' or '.join(allowed)}, found {value}")
        if self.max_length < 1:
            raise UserError(f"request.max_length: expected 1 or more, found {self.max_length}")

    @classmethod
    def as_in(cls, identity: CacheIdentity, **chosen: Any) -> "ReadRequest":
        """The request that gives again the numbers that a cache holds.

        Args:
            identity: the cache's.
            chosen: `layers` and `poolings`, for an encoder.
        """
        return cls(
            max_length=identity.max_length,
            dtype=identity.compute_dtype,
            storage_dtype=identity.storage_dtype,
            **chosen,
        )

    def compute_dtype(self, device: str) -> str:
        """`float32` or `bfloat16`, for a device as backends name it."""
        if self.dtype == "auto":
            return "float32" if device == "cpu" else "bfloat16"
        return self.dtype

    def layer_ids(self, num_layers: int, params_b: float) -> tuple[int, ...]:
        """Layer ids in ascending order.

        Args:
            num_layers: blocks L of the encoder.
            params_b: parameters of the encoder in 10^9.

        Raises:
            UserError: an id is outside 0..L, or there is none.
        """
        if self.layers is None:
            lowest = 0 if params_b <= ALL_LAYERS_UP_TO_B else num_layers // 2
            return tuple(range(lowest, num_layers + 1))
        if isinstance(self.layers, str):
            return tuple(range(0 if self.layers == "all" else num_layers // 2, num_layers + 1))
        ids = sorted(set(self.layers))
        if not ids or ids[0] < 0 or ids[-1] > num_layers:
            raise UserError(
                f"request.layers: expected layer ids from 0 to {num_layers}, found {list(self.layers)}"
            )
        return tuple(ids)
