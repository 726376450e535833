"""What is requested of the commands that fill caches; `extraction.request` and `extraction.share` check the values."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class TextRequestConfig:
    """What the numbers are that a model makes of a query's text."""

    max_length: int = 8192
    """Most tokens fed, never more than the model's context; longer queries lose their middle."""
    dtype: str = "auto"
    """Of the forward pass: `float32` or `bfloat16`; `auto` takes bfloat16 on a GPU and float32 on a CPU."""


@dataclass
class RequestConfig(TextRequestConfig):
    """What the numbers are that are read of an encoder. The prompts' form is a fact: `encoder.prompt_format`."""

    layers: Any = None
    """`all` (0..L), `upper` (L/2..L), a list of ids, or null: `all` up to 10^9 parameters, `upper` above."""
    poolings: list[str] = field(default_factory=lambda: ["last", "mean"])
    """How the tokens of a layer become one vector."""
    storage_dtype: str = "float32"
    """`float16` is refused where it would lose more than 1e-3 of an element."""


@dataclass
class ShareConfig:
    """Which part of the work a job does."""

    num: int = 1
    """Jobs that share the work."""
    index: int = 0
    """Number of this job among them, starting at 0."""
    verify: bool = False
    """First compare everything that is cached with its checksums, and extract damaged rows again."""
