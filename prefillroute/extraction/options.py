"""How to extract: the hyper-parameters of the transformers backend, bound by `conf/extraction/*.yaml`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from prefillroute.caches.identity import STORAGE_DTYPES
from prefillroute.config.facts import PROMPT_FORMATS
from prefillroute.errors import UserError
from prefillroute.pooling.choice import known_poolings

ALL_LAYERS_UP_TO_B = 1.0
"""Encoders with up to this many 10^9 parameters get all layers by default (DESIGN section 7)."""
TOKENS_PER_BATCH = {"cpu": 1024, "cuda": 32768}
"""Padded tokens. Measured: on a CPU, small batches stay in its caches."""


@dataclass(frozen=True)
class ExtractionOptions:
    """The settings that the user may choose.

    Raises:
        UserError: a value is out of range; the message names the key, the value and what is expected.
    """

    layers: str | Sequence[int] | None = None
    """`all` (0..L), `upper` (L/2..L), a list of ids, or null: `all` up to 10^9 parameters, `upper` above."""
    poolings: Sequence[str] = ("last", "mean")
    max_length: int = 8192
    """Most tokens fed, never more than the encoder's context; longer queries lose their middle."""
    prompt_format: str | None = None
    """Like `encoder.prompt_format`, which a run reads too: `chat`, `plain`, or null for the encoder's own setting."""
    tokens_per_batch: int | None = None
    """Padded tokens in a batch; null: 1,024 on a CPU, 32,768 on a GPU."""
    device: str = "auto"
    """`auto` takes a GPU when there is one; `cpu`, `cuda`, `cuda:1`; `balanced` spreads over all GPUs."""
    dtype: str = "auto"
    """`auto`: bfloat16 on a GPU, float32 on a CPU."""
    share_prefix: bool | None = None
    """Run the template's constant beginning only once; null: on a CPU, for models where that is exact to rounding."""
    storage_dtype: str = "float32"
    num_shards: int = 1
    """Array jobs that share the work."""
    shard_index: int = 0
    """Number of this job among them, starting at 0."""
    verify: bool = False
    """First compare everything that is cached with its checksums, and extract damaged rows again."""

    def __post_init__(self) -> None:
        if isinstance(self.layers, str) and self.layers not in ("all", "upper"):
            raise UserError(
                f"extraction.layers: expected all, upper or a list of layer ids, found {self.layers}"
            )
        unknown = [name for name in self.poolings if name not in known_poolings()]
        if unknown or not self.poolings:
            raise UserError(
                f"extraction.poolings: expected some of {sorted(known_poolings())}, found {list(self.poolings)}"
            )
        if self.prompt_format is not None:
            _choice("prompt_format", self.prompt_format, PROMPT_FORMATS)
        _choice("dtype", self.dtype, ("auto", "float32", "bfloat16"))
        _choice("storage_dtype", self.storage_dtype, STORAGE_DTYPES)
        _positive("max_length", self.max_length)
        _positive("num_shards", self.num_shards)
        if self.tokens_per_batch is not None:
            _positive("tokens_per_batch", self.tokens_per_batch)
        if not 0 <= self.shard_index < self.num_shards:
            raise UserError(
                f"extraction.shard_index: expected 0 to {self.num_shards - 1}, found {self.shard_index}"
            )
        if self.device.startswith(("cuda", "balanced")) and not torch.cuda.is_available():
            raise UserError(
                f"extraction.device: expected auto or cpu on a machine without a usable GPU, found {self.device}"
            )
        if not self.device.startswith(("auto", "cpu", "cuda", "balanced")):
            raise UserError(
                f"extraction.device: expected auto, cpu, cuda, cuda:<n> or balanced, found {self.device}"
            )

    def resolved_device(self) -> str:
        """`cpu`, `cuda...` or `balanced`."""
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    def resolved_dtype(self) -> str:
        """`float32` or `bfloat16`."""
        if self.dtype == "auto":
            return "float32" if self.resolved_device() == "cpu" else "bfloat16"
        return self.dtype

    def resolved_tokens_per_batch(self) -> int:
        """Padded tokens in a batch on the chosen device."""
        return self.tokens_per_batch or TOKENS_PER_BATCH["cpu" if self.resolved_device() == "cpu" else "cuda"]

    def resolved_layers(self, num_layers: int, params_b: float) -> tuple[int, ...]:
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
        ids = sorted({int(k) for k in self.layers})
        if not ids or ids[0] < 0 or ids[-1] > num_layers:
            raise UserError(
                f"extraction.layers: expected layer ids from 0 to {num_layers}, found {list(self.layers)}"
            )
        return tuple(ids)


def _choice(key: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UserError(f"extraction.{key}: expected {' or '.join(allowed)}, found {value}")


def _positive(key: str, value: int) -> None:
    if value < 1:
        raise UserError(f"extraction.{key}: expected 1 or more, found {value}")
