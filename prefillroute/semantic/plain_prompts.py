"""Turns a query's text into token ids without a chat template; the middle of a query that is too long is cut out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.extraction.prompts import EncodedPrompt


class PlainPrompts:
    """Encodes queries as the token ids `before` + query + `after`.

    Args:
        tokenizer: a Hugging Face tokenizer.
        before, after: token ids around every query.
        max_length: greatest number of tokens in all.
        instruction: text put before every query's text.
        model: name of the model that reads them, for messages.

    Raises:
        UserError: there is no room for any token of a query.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        before: Sequence[int],
        after: Sequence[int],
        max_length: int,
        instruction: str = "",
        model: str = "model",
    ) -> None:
        self._tokenizer, self._instruction, self._model = tokenizer, instruction, model
        self.before, self.after, self.max_length = list(before), list(after), max_length
        self._room = max_length - len(self.before) - len(self.after)
        if self._room < 1:
            raise UserError(
                f"request.max_length: expected more than the {len(self.before) + len(self.after)} tokens that "
                f"{model} needs around a query, found {max_length}"
            )

    def __call__(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode queries.

        Raises:
            UserError: a query is not valid Unicode.
        """
        texts = [self._instruction + prompt for prompt in prompts]
        for text in texts:
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise UserError(
                    f"{self._model}: expected valid Unicode, found the query {text[:40]!r} ({error.reason})"
                ) from error
        encoded: list[EncodedPrompt] = []
        if not texts:  # the tokenizer fails on an empty list
            return encoded
        for ids in self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]:
            cut = ids
            if len(ids) > self._room:
                tail = self._room // 2
                cut = ids[: self._room - tail] + ids[len(ids) - tail :]
            fed = np.asarray([*self.before, *cut, *self.after], dtype=np.int32)
            encoded.append(EncodedPrompt(fed, len(ids), len(cut) < len(ids)))
        return encoded


def special_tokens(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The token ids that a tokenizer puts before and after a text, such as [CLS] and [SEP]."""
    bare = tokenizer("text", add_special_tokens=False)["input_ids"]
    whole = tokenizer("text")["input_ids"]
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return whole[:start], whole[start + len(bare) :]
    raise AssertionError("a tokenizer's special tokens stand around the text")
