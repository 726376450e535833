"""From the text of new queries to pooled activations: the same code path as extraction (DESIGN section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.errors import UserError
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.live import read_texts
from prefillroute.layers.choice import Block
from prefillroute.router.manifest import EncoderEntry

STORED_ONLY = ("storage_dtype", "backend")
"""Parts of a cache's identity that say how activations were stored or what made them, not what their values are."""


@dataclass(frozen=True)
class EncodedQueries:
    """N queries as the router sees them."""

    activations: tuple[np.ndarray, ...]
    """One (N, layers * hidden) float32 array per block, with the block's layers side by side."""
    query_tokens: np.ndarray
    """(N,) tokens of the bare query, counted by the first encoder's tokenizer."""
    encoder_tokens: np.ndarray
    """(N,) tokens fed to all encoders in total, templates included."""
    truncated: np.ndarray
    """(N,) bool: some encoder's context was too short, so the middle of the query was cut out."""


class QueryEncoder:
    """The encoders of a bundle. Each is loaded on first use and must be the one that the bundle was trained with.

    Args:
        entries: the encoders.
        blocks: what to read from them.
        bundle: folder of the bundle, for messages.
        device: as for `TransformersBackend`.
    """

    def __init__(
        self, entries: Sequence[EncoderEntry], blocks: Sequence[Block], bundle: Path, device: str = "auto"
    ) -> None:
        self._entries, self._blocks = tuple(entries), tuple(blocks)
        self._bundle, self._device = bundle, device
        self._loaded: dict[str, TransformersBackend] = {}

    def __call__(self, prompts: Sequence[str]) -> EncodedQueries:
        """Encode N prompts.

        Raises:
            UserError: an encoder cannot be loaded, or is not the one of the training run.
        """
        read: dict[tuple[str, int, str], np.ndarray] = {}
        query_tokens: np.ndarray | None = None
        encoder_tokens = np.zeros(len(prompts), dtype=np.int64)
        truncated = np.zeros(len(prompts), dtype=bool)
        for entry in self._entries:
            found = read_texts(self._encoder(entry), prompts)
            encoder_tokens += found.fed_tokens
            truncated |= found.truncated
            if query_tokens is None:
                query_tokens = found.query_tokens
            for (layer, pooling), vectors in found.vectors.items():
                read[entry.facts.name, layer, pooling] = vectors
        assert query_tokens is not None, "a bundle names at least one encoder"
        activations = tuple(
            np.concatenate([read[block.encoder, layer, block.pooling] for layer in block.layers], axis=1)
            for block in self._blocks
        )
        return EncodedQueries(activations, query_tokens, encoder_tokens, truncated)

    def _encoder(self, entry: EncoderEntry) -> TransformersBackend:
        name = entry.facts.name
        if name not in self._loaded:
            wanted = CacheIdentity.from_attributes(entry.identity, self._bundle)
            own = [block for block in self._blocks if block.encoder == name]
            encoder = TransformersBackend.from_identity(
                entry.facts,
                wanted,
                [layer for block in own for layer in block.layers],
                [block.pooling for block in own],
                self._device,
            )
            self._check(encoder.identity, wanted)
            self._loaded[name] = encoder
        return self._loaded[name]

    def _check(self, found: CacheIdentity, wanted: CacheIdentity) -> None:
        """Refuse an encoder whose activations would differ from those of the training run."""
        found = replace(found, **{key: getattr(wanted, key) for key in STORED_ONLY})
        for field in fields(found):
            here, there = getattr(found, field.name), getattr(wanted, field.name)
            if here != there:
                raise UserError(
                    f"{self._bundle}: encoder {wanted.encoder}: expected {field.name}={there} as in training, found "
                    f"{field.name}={here}; use the same encoder files"
                )
