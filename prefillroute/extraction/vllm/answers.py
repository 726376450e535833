"""Checks what the vLLM process says of a prompt: several of vLLM's failures are silent, and give plausible numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from prefillroute.errors import UserError

# T = tokens of the prompt, L = layers, H = width of the model


def checked_vectors(
    header: dict[str, Any],
    payload: bytes,
    token_ids: np.ndarray,
    layer_ids: Sequence[int],
    poolings: Sequence[str],
    hidden_size: int,
    what: str,
) -> np.ndarray:
    """The vectors of an answer.

    Args:
        header, payload: the frame.
        token_ids: (T,) what was sent.
        layer_ids: the layers that the process was told to read, ascending.
        poolings: the poolings that it was told to apply.
        hidden_size: H.
        what: name of the model, for messages.

    Returns:
        (poolings, L, H) float32, in the order of `poolings` and `layer_ids`.

    Raises:
        UserError: the answer is of other tokens, layers or poolings, has another shape, or has vectors that cannot be
            right; the message says which.
    """
    count, layers = len(token_ids), len(layer_ids)
    for key, expected in (
        ("tokens", count),
        ("rows", count),
        ("layer_ids", list(layer_ids)),
        ("columns", layers),
        ("hidden_size", hidden_size),
        ("poolings", list(poolings)),
    ):
        if header.get(key) != expected:
            raise _refused(
                what, f"{key}={expected} for a prompt of {count} tokens", f"{key}={header.get(key)}"
            )
    size = 4 * (count + len(poolings) * layers * hidden_size)
    if len(payload) != size:
        raise _refused(what, f"{size} bytes for a prompt of {count} tokens", f"{len(payload)}")
    found = np.frombuffer(payload, dtype="<i4", count=count)
    if not np.array_equal(found, token_ids):
        at = int(np.argmax(found != token_ids))
        raise _refused(what, f"token {token_ids[at]} at position {at} of the prompt, as sent", f"{found[at]}")
    for key, name, first in (("bad", "NaN or infinity", 0), ("zero", "nothing but zeros", 1)):
        # At layer 0 a token's embedding may be zero.
        counts = np.asarray(header.get(key))
        if counts.shape != (layers,):
            raise _refused(what, f"{layers} counts of tokens with {name}", f"{header.get(key)}")
        wrong = [layer for layer, tokens in zip(layer_ids, counts, strict=True) if tokens and layer >= first]
        if wrong:
            share = f"{int(counts[list(layer_ids).index(wrong[0])])} of {count} tokens at layer {wrong[0]}"
            raise _refused(what, "finite hidden states that are not zero", f"{name} in {share}")
    vectors = np.frombuffer(payload, dtype="<f4", offset=4 * count).reshape(
        len(poolings), layers, hidden_size
    )
    for position in range(layers):
        of_layer = vectors[:, position]
        if not np.isfinite(of_layer).all():
            raise _refused(what, "finite vectors", f"NaN or infinity at layer {layer_ids[position]}")
        if not of_layer.any(axis=1).all():
            raise _refused(what, "vectors that are not zero", f"zeros at layer {layer_ids[position]}")
        if position and np.array_equal(of_layer, vectors[:, position - 1]):
            raise _refused(
                what,
                "another vector at each layer",
                f"layers {layer_ids[position - 1]} and {layer_ids[position]} equal",
            )
    return vectors


def check_model(header: dict[str, Any], num_layers: int, hidden_size: int, dtype: str, name: str) -> None:
    """Compare what the process says of the weights with the facts.

    Raises:
        UserError: they differ.
    """
    for key, wanted in (("num_layers", num_layers), ("hidden_size", hidden_size)):
        if header.get(key) != wanted:
            raise UserError(
                f"encoder.{key}: expected {header.get(key)} as in the weights of {name}, found {wanted}"
            )
    if header.get("dtype") != dtype:
        raise UserError(f"encoder {name}: expected dtype={dtype} in vLLM, found {header.get('dtype')}")


def _refused(what: str, expected: str, found: str) -> UserError:
    return UserError(
        f"{what}: vLLM's answer: expected {expected}, found {found}; use another version of vLLM, or "
        "extraction=transformers"
    )
