"""What determines the numbers in an activation cache, and the check that refuses to mix caches that differ in it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from prefillroute.caches.keys import extract_command
from prefillroute.errors import UserError

FORMAT_VERSION = 1
LAYER_CONVENTION = "layer k = residual stream after k blocks; 0 = embedding output; L = before the final norm"
STORAGE_DTYPES = ("float32", "float16")


@dataclass(frozen=True)
class CacheIdentity:
    """Everything that an activation depends on, apart from the row (token ids), the layer and the pooling.

    Library versions are recorded separately (`versions` of a shard) and not compared: a patch release changes
    activations by rounding only, and refusing it would discard days of extraction.
    """

    encoder: str
    """Short name, as given on the command line."""
    weights: str
    """`<repo>@<commit>` or `<file>:sha256=<digest>`."""
    num_layers: int
    """Blocks L of the encoder, whichever layers are stored."""
    hidden_size: int
    compute_dtype: str
    """`float32` or `bfloat16`: the dtype of the forward pass."""
    storage_dtype: str
    """`float32`, or `float16` where every element keeps |error| <= 1e-3 |x| + 1e-6 max|row|."""
    prompt_format: str
    """`chat` (template with generation prompt) or `plain`."""
    chat_template: str
    """SHA-256 of the template's text, or `none`."""
    chat_template_kwargs: str
    """JSON with sorted keys."""
    max_length: int
    """Most tokens fed; a longer query loses its middle, while template and generation prompt survive."""
    truncation: str = "query_middle"
    backend: str = "transformers"
    layer_convention: str = LAYER_CONVENTION

    def to_attributes(self) -> dict[str, str | int]:
        """The fields as flat HDF5 attributes."""
        return asdict(self)

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any], path: Path) -> "CacheIdentity":
        """Inverse of `to_attributes`.

        Raises:
            UserError: `path` lacks an attribute.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in attributes:
                raise UserError(
                    f"{path}: expected an activation cache of prefillroute, found no attribute {field.name}"
                )
            raw = attributes[field.name]
            values[field.name] = int(raw) if field.type is int else str(raw)
        return cls(**values)

    def check(self, wanted: "CacheIdentity", path: Path) -> None:
        """Refuse a cache that does not match the configuration.

        Raises:
            UserError: a key differs; the message names the first one, both values and the way out.
        """
        for field in fields(self):
            self._compare(field.name, getattr(self, field.name), getattr(wanted, field.name), path)

    def check_facts(
        self,
        path: Path,
        *,
        name: str,
        num_layers: int,
        hidden_size: int,
        chat_template_kwargs: Mapping[str, str | bool],
        repo: str | None = None,
        revision: str | None = None,
    ) -> None:
        """Do the part of `check` that needs no tokenizer and no weights: compare the encoder's plain facts.

        Raises:
            UserError: as in `check`.
        """
        self._compare("encoder", self.encoder, name, path)
        self._compare("num_layers", self.num_layers, num_layers, path)
        self._compare("hidden_size", self.hidden_size, hidden_size, path)
        self._compare(
            "chat_template_kwargs", self.chat_template_kwargs, kwargs_json(chat_template_kwargs), path
        )
        if repo is not None and revision is not None and not Path(repo).exists():
            self._compare("weights", self.weights, f"{repo}@{revision}", path)

    def _compare(self, key: str, found: object, wanted: object, path: Path) -> None:
        if found != wanted:
            command = extract_command(self.encoder, self.prompt_format)
            raise UserError(
                f"{path}: expected {key}={wanted} as configured, found a cache made with {key}={found}; set it back, "
                f"or move the cache and its .shards folder away and run {command}"
            )


def kwargs_json(kwargs: Mapping[str, str | bool]) -> str:
    """Template arguments in a canonical spelling."""
    return json.dumps(dict(kwargs), sort_keys=True)
