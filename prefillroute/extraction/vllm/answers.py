"""Checks what the vLLM process says of a prompt: several of vLLM's failures are silent, and give plausible numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from prefillroute.errors import UserError


class WrongAnswer(Exception):
    """`expected ..., found ...`: what vLLM said cannot be right."""


# T = tokens of the prompt, L = layers, H = width of the model


def checked_vectors(
    header: dict[str, Any],
    payload: bytes,
    token_ids: np.ndarray,
    layer_ids: Sequence[int],
    poolings: Sequence[str],
    hidden_size: int,
) -> np.ndarray:
    """The vectors of an answer.

    Args:
        header, payload: the frame.
        token_ids: (T,) what was sent.
        layer_ids: the layers that the process was told to read, ascending.
        poolings: the poolings that it was told to apply.
        hidden_size: H.

    Returns:
        (poolings, L, H) float32, in the order of `poolings` and `layer_ids`.

    Raises:
        WrongAnswer: the answer is of other tokens, layers or poolings, has another shape, or has vectors that cannot be
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
            raise WrongAnswer(
                f"{key}={expected} for a prompt of {count} tokens, found {key}={header.get(key)}"
            )
    size = 4 * (count + len(poolings) * layers * hidden_size)
    if len(payload) != size:
        raise WrongAnswer(f"{size} bytes for a prompt of {count} tokens, found {len(payload)}")
    found = np.frombuffer(payload, dtype="<i4", count=count)
    if not np.array_equal(found, token_ids):
        at = int(np.argmax(found != token_ids))
        raise WrongAnswer(f"token {token_ids[at]} at position {at} of the prompt, as sent, found {found[at]}")
    for key, name, first in (("bad", "NaN or infinity", 0), ("zero", "nothing but zeros", 1)):
        # At layer 0 a token's embedding may be zero.
        counts = header.get(key)
        if not isinstance(counts, list) or [type(tokens) for tokens in counts] != [int] * layers:
            raise WrongAnswer(f"{layers} counts of tokens with {name}, found {counts}")
        for layer, tokens in zip(layer_ids, counts, strict=True):
            if tokens and layer >= first:
                raise WrongAnswer(
                    f"finite hidden states that are not zero, found {name} in {tokens} of {count} tokens at layer "
                    f"{layer}"
                )
    vectors = np.frombuffer(payload, dtype="<f4", offset=4 * count).reshape(
        len(poolings), layers, hidden_size
    )
    for position, layer in enumerate(layer_ids):
        of_layer = vectors[:, position]
        if not np.isfinite(of_layer).all():
            raise WrongAnswer(f"finite vectors, found NaN or infinity at layer {layer}")
        if not of_layer.any(axis=1).all():
            raise WrongAnswer(f"vectors that are not zero, found zeros at layer {layer}")
        if position and np.array_equal(of_layer, vectors[:, position - 1]):
            raise WrongAnswer(
                f"another vector at each layer, found those of layers {layer_ids[position - 1]} and {layer} equal"
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
