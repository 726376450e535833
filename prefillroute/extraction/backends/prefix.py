"""Runs the common beginning of all prompts (system prompt, role marks) once instead of with every query.

This is only for models that attend to all earlier tokens and have no other state: there a key-value cache gives the
numbers of a full pass up to rounding (relative 1e-6 in float32). Sliding windows and recurrences are not supported.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from prefillroute.extraction.backends.capture import ResidualCapture, find_blocks

FULL_ATTENTION = ("llama",)
"""Model types that this was tested on."""


class EveryToken:
    """A pooling that keeps every token, so that any pooling can be applied to a prefix later."""

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return (B, T, H) unchanged."""
        return hidden.clone()


class SharedPrefix:
    """Keys, values and residual streams of the common first tokens.

    Args:
        model: base model of a type in `FULL_ATTENTION`.
        token_ids: (P,) the prefix.
        layer_ids: layers whose residual stream will be pooled.
    """

    def __init__(self, model: PreTrainedModel, token_ids: np.ndarray, layer_ids: Sequence[int]) -> None:
        self.token_ids = token_ids
        device = next(model.parameters()).device
        capture = ResidualCapture(
            find_blocks(model, model.config.num_hidden_layers), layer_ids, {"all": EveryToken()}
        )
        cache = DynamicCache()
        try:
            ids = torch.from_numpy(token_ids.astype(np.int64))[None].to(device)
            capture.start(torch.ones_like(ids, dtype=torch.bool))
            model(input_ids=ids, past_key_values=cache, use_cache=True)
            stacked = capture.finish()["all"]  # (1, layers, P, H)
        finally:
            capture.remove()
        self.hidden = {layer: stacked[:, position] for position, layer in enumerate(layer_ids)}
        """Layer id -> (1, P, H)."""
        layers: list[Any] = cache.layers
        self._keys_values = [(layer.keys, layer.values) for layer in layers]  # (1, heads, P, head width) each

    def __len__(self) -> int:
        return len(self.token_ids)

    def begins(self, batch: Sequence[np.ndarray]) -> bool:
        """Whether every row begins with this prefix and continues after it."""
        count = len(self)
        return all(len(ids) > count and np.array_equal(ids[:count], self.token_ids) for ids in batch)

    def cache(self, rows: int) -> DynamicCache:
        """Keys and values for a batch of `rows` rows; a pass over the rest may append to it."""
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self._keys_values):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
        return cache
