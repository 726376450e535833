"""Turns a query's text into the token ids that are fed: chat template, and truncation that affects only the query."""

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from prefillroute.errors import UserError

log = logging.getLogger(__name__)

TEMPLATE_DATE = datetime(2025, 1, 1)
"""Templates that print the date (as gpt_oss does) get this one, because a query's ids must not change overnight."""
# A text that no template contains; its place in the output separates the template's own text from the query's.
_PROBE = "prefillroute query stands here"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class EncodedPrompt:
    """One query as the encoder receives it."""

    token_ids: np.ndarray
    """(T,) int32: template, query (possibly truncated), generation prompt."""
    query_tokens: int
    """Tokens of the bare query, before any truncation."""
    truncated: bool


class PromptEncoder:
    """Turns queries into token ids.

    Args:
        tokenizer: a fast Hugging Face tokenizer.
        prompt_format: `chat` or `plain`.
        chat_template_kwargs: passed to the chat template.
        max_length: most tokens fed.
        encoder: name, for messages.

    Raises:
        UserError: the tokenizer has no chat template, or the template fails, drops the query or is longer than
            `max_length` by itself.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        prompt_format: str = "chat",
        chat_template_kwargs: Mapping[str, str | bool] | None = None,
        max_length: int = 8192,
        encoder: str = "encoder",
    ) -> None:
        self._tokenizer, self._encoder = tokenizer, encoder
        self._chat = prompt_format == "chat"
        self._kwargs = dict(chat_template_kwargs or {})
        self.max_length = max_length
        if self._chat and not getattr(tokenizer, "chat_template", None):
            raise UserError(
                f"encoder {encoder}: expected a tokenizer with a chat template, found none; use "
                "encoder.prompt_format=plain"
            )
        self._template = _fix_date(tokenizer.get_chat_template()) if self._chat else ""
        if not getattr(tokenizer, "is_fast", False):
            raise UserError(
                f"encoder {encoder}: expected a fast tokenizer (tokenizer.json), found a slow one"
            )
        probe = self._render(_PROBE)
        if probe.count(_PROBE) != 1:
            raise UserError(
                f"encoder {encoder}: expected a chat template that prints the query once, found it "
                f"{probe.count(_PROBE)} times"
            )
        self._before, self._after = probe.split(_PROBE)
        out = tokenizer(probe, add_special_tokens=not self._chat, return_offsets_mapping=True)
        inside = [b <= len(self._before) for _, b in out["offset_mapping"]] + [False]
        self.prefix_ids = np.asarray(out["input_ids"][: inside.index(False)], dtype=np.int32)
        """Tokens before the query. A query may still merge with the last of them, so compare before relying on them."""
        overhead = len(self._tokenize([probe])[0]) - len(self._tokenize([_PROBE], bare=True)[0])
        if overhead >= max_length:
            raise UserError(
                f"request.max_length: expected more than the {overhead} tokens of encoder {encoder}'s template "
                f"alone, found {max_length}"
            )

    @property
    def template_digest(self) -> str:
        """SHA-256 of the chat template's text, with its date fixed; `none` for plain prompts."""
        if not self._chat:
            return "none"
        return hashlib.sha256(self._template.encode()).hexdigest()

    def __call__(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode queries.

        Raises:
            UserError: `max_length` leaves no room for any token of a query, or a query is not valid Unicode.
        """
        for prompt in prompts:
            if _SURROGATE.search(prompt):
                raise UserError(
                    f"prompt {prompt[:40]!a}: expected UTF-8, found text that is not valid Unicode"
                )
        texts = [self._render(prompt) for prompt in prompts]
        bare = [len(ids) for ids in self._tokenize(prompts, bare=True)]
        encoded = []
        for text, ids, query_tokens in zip(texts, self._tokenize(texts), bare, strict=True):
            truncated = len(ids) > self.max_length
            kept = self._cut(text) if truncated else ids
            encoded.append(EncodedPrompt(np.asarray(kept, dtype=np.int32), query_tokens, truncated))
        return encoded

    def _render(self, prompt: str) -> str:
        if not self._chat:
            return prompt
        try:
            rendered = self._tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                tokenize=False,
                chat_template=self._template,
                **self._kwargs,
            )
        except Exception as error:  # a template is a program and may raise anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"encoder {self._encoder}: its chat template fails ({reason})") from error
        return str(rendered)

    def _tokenize(self, texts: Sequence[str], *, bare: bool = False) -> list[list[int]]:
        # The template has already written the special tokens; with `plain` the tokenizer adds them.
        special = not bare and not self._chat
        if not texts:  # the tokenizer fails on an empty list
            return []
        return self._tokenizer(list(texts), add_special_tokens=special, verbose=False)["input_ids"]

    def _cut(self, text: str) -> list[int]:
        """Remove the middle of the query's tokens, so that exactly `max_length` tokens are left."""
        out = self._tokenizer(
            text, add_special_tokens=not self._chat, return_offsets_mapping=True, verbose=False
        )
        ids, offsets = out["input_ids"], out["offset_mapping"]
        start, stop = len(self._before), len(text) - len(self._after)
        # Tokens inside the query; one that reaches into the template belongs to the template.
        inside = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= stop]
        keep = len(inside) - (len(ids) - self.max_length)
        if keep < 1:
            raise UserError(
                f"request.max_length: expected more than the {len(ids) - len(inside)} tokens of encoder "
                f"{self._encoder}'s template, found {self.max_length}, which leaves none for the query"
            )
        head, tail = keep - keep // 2, keep // 2
        dropped = set(inside[head : len(inside) - tail])
        return [token for i, token in enumerate(ids) if i not in dropped]


def choose_format(tokenizer: Any, requested: str | None, encoder: str) -> str:
    """The format of the prompts: the one requested, else `chat` if the tokenizer has a chat template.

    Args:
        tokenizer: a Hugging Face tokenizer.
        requested: `encoder.prompt_format`.
        encoder: name, for the log.
    """
    if requested:
        return requested
    if getattr(tokenizer, "chat_template", None):
        return "chat"
    log.warning(
        "encoder %s: its tokenizer has no chat template; queries are fed as they stand (encoder.prompt_format=plain)",
        encoder,
    )
    return "plain"


def _fix_date(template: str) -> str:
    """Write `TEMPLATE_DATE` where a template asks for today's date."""
    call = re.compile(r"""strftime_now\(\s*(['"])(.*?)\1\s*\)""")
    return call.sub(lambda found: repr(TEMPLATE_DATE.strftime(found[2])), template)
