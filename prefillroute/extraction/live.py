"""Reads new queries from their text: what routing needs of a backend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prefillroute.extraction.backends.contract import Backend, Batch, read_checked


@dataclass(frozen=True)
class TextVectors:
    """What a backend reads of N texts."""

    vectors: dict[tuple[int, str], np.ndarray]
    """(layer, pooling) -> (N, H) float32, for every layer and pooling that the backend was made for."""
    query_tokens: np.ndarray
    """(N,) int64: tokens of the bare query."""
    fed_tokens: np.ndarray
    """(N,) int64: tokens fed, those of the template included."""
    truncated: np.ndarray
    """(N,) bool: the query's middle was cut."""


def read_texts(backend: Backend, texts: Sequence[str]) -> TextVectors:
    """Tokenise and read texts, batched as in an extraction.

    Args:
        backend: what reads them.
        texts: N queries.

    Raises:
        UserError: the model cannot be had or fails, or a text is not valid Unicode.
    """
    encoded = backend.prompts(texts)
    fed = np.asarray([len(prompt.token_ids) for prompt in encoded], dtype=np.int64)
    vectors = {
        (layer, pooling): np.empty((len(texts), backend.identity.hidden_size), dtype=np.float32)
        for layer in backend.layer_ids
        for pooling in backend.poolings
    }
    work = (Batch(rows, [encoded[row].token_ids for row in rows]) for rows in backend.batches(fed))
    for rows, pooled in read_checked(backend, work, backend.layer_ids, backend.poolings):
        for pooling in backend.poolings:
            for position, layer in enumerate(backend.layer_ids):
                vectors[layer, pooling][rows] = pooled[pooling][:, position]
    return TextVectors(
        vectors=vectors,
        query_tokens=np.asarray([prompt.query_tokens for prompt in encoded], dtype=np.int64),
        fed_tokens=fed,
        truncated=np.asarray([prompt.truncated for prompt in encoded], dtype=bool),
    )
