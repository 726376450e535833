"""Queries as rows of token ids, for a head that reads text itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from prefillroute.errors import UserError
from prefillroute.pretrained.loading import pretrained
from prefillroute.semantic.plain_prompts import PlainPrompts, special_tokens

PADDING = -1
EXACT = 2**24
"""float32 holds every smaller integer."""


def load_tokenizer(name_or_path: str, revision: str | None = None) -> Any:
    """Load the tokenizer of a hub repository or local folder.

    Raises:
        UserError: it cannot be loaded.
    """
    return pretrained(AutoTokenizer, "signal.tokenizer", name_or_path, revision=revision)


def token_rows(tokenizer: Any, prompts: Sequence[str] | np.ndarray, max_length: int) -> np.ndarray:
    """Return token ids (N, max_length) float32 with the tokenizer's special tokens, padded at the end with `PADDING`.

    A query that does not fit loses its middle: half of the room (rounded up) goes to its first tokens, the rest to its
    last ones.

    Raises:
        UserError: no room for any token of a query, or a query that is not valid Unicode.
    """
    before, after = special_tokens(tokenizer)
    if max_length <= len(before) + len(after):
        raise UserError(
            f"signal.max_length: expected more than the {len(before) + len(after)} special tokens around a query, "
            f"found {max_length}"
        )
    assert len(tokenizer) < EXACT, len(tokenizer)
    encode = PlainPrompts(tokenizer, before=before, after=after, max_length=max_length, model="signal tokens")
    rows = np.full((len(prompts), max_length), PADDING, dtype=np.float32)
    for row, prompt in zip(rows, encode([str(prompt) for prompt in prompts]), strict=True):
        row[: len(prompt.token_ids)] = prompt.token_ids
    return rows
