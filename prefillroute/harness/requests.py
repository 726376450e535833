"""The request sent to a target: its model, its messages and its generation options (paper section 4.1).

A provider is a fact (``conf/provider``). Inspect AI does the talking, the retries and the streaming; the fact only says
which of Inspect's options a mode of a model stands for, for instance `reasoning_effort: high` or `enable_thinking`.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    get_model,
)

from prefillroute.config.facts import ProviderConfig, TargetConfig
from prefillroute.errors import UserError

ROLES: dict[str, Callable[[str], ChatMessage]] = {
    "system": lambda text: ChatMessageSystem(content=text),
    "user": lambda text: ChatMessageUser(content=text),
    "assistant": lambda text: ChatMessageAssistant(content=text),
}
TRANSPORT = ("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections")
"""Options that do not change the answer; they are set in `limits` and are never part of the fingerprint."""
TEMPLATE_TOKENS, MESSAGE_TOKENS = 256, 16
"""Tokens that a chat template may add once, including a system prompt of its own, and around each message."""


@dataclass(frozen=True)
class TargetRequest:
    """Everything needed to ask a target. Requests with equal fingerprints get comparable answers."""

    target: str
    model: str
    """Inspect's name of the model, `<api>/<model at the provider>`."""
    base_url: str | None
    api_key_env: str | None
    options: Mapping[str, Any]
    """Generation options by Inspect's names."""
    messages: tuple[tuple[str, str], ...]
    """(role, content) before the question."""
    price_in: float | None
    price_out: float | None
    connections: int

    @property
    def described(self) -> dict[str, Any]:
        """What the answers depend on; the endpoint's address and its prices are left out."""
        return {
            "model": self.model,
            "options": dict(self.options),
            "messages": [list(m) for m in self.messages],
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of ``described``."""
        return hashlib.sha256(json.dumps(self.described, sort_keys=True).encode()).hexdigest()

    @property
    def max_tokens(self) -> int:
        """Most tokens that an answer may have."""
        return int(self.options["max_tokens"])

    def conversation(self, prompt: str) -> list[ChatMessage]:
        """The messages that ask one question."""
        return [ROLES[role](content) for role, content in (*self.messages, ("user", prompt))]

    def cost_usd(self, prompt_tokens: float, completion_tokens: float) -> float | None:
        """Cost of a call in USD at the pool's list prices; None if the pool has no prices.

        This is an upper bound: a provider's discount for a cached prefix is ignored.
        """
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6

    def most_usd(self, prompt: str) -> float | None:
        """The most that one call can cost in USD, with an answer of `max_tokens`; None without prices."""
        texts = [content for _, content in self.messages]
        return self.cost_usd(most_prompt_tokens([*texts, prompt]), self.max_tokens)

    def open(self, **transport: Any) -> Model:
        """Open Inspect's client for the model.

        Raises:
            UserError: an API key or a package is missing.
        """
        if self.api_key_env and not os.environ.get(self.api_key_env):
            raise UserError(
                f"target '{self.target}': expected the provider's key in {self.api_key_env}, found nothing; set this "
                "environment variable"
            )
        key = os.environ[self.api_key_env] if self.api_key_env else None
        if key is None and self.model.startswith("openai-api/"):
            key = "none"  # the client insists on a key; a local server ignores it
        try:
            return get_model(
                self.model,
                config=GenerateConfig(**self.options, **transport),
                base_url=self.base_url,
                api_key=key,
                memoize=False,
            )
        except Exception as error:  # a provider's package may raise anything when it is missing or misused
            raise UserError(
                f"target '{self.target}': expected a model that Inspect can open, found {self.model} ({_short(error)})"
            ) from error


def most_prompt_tokens(messages: Sequence[str]) -> int:
    """An upper bound on the tokens in these messages under any tokenizer: no token is shorter than a byte of UTF-8."""
    return TEMPLATE_TOKENS + sum(
        MESSAGE_TOKENS + len(text.encode("utf-8", "surrogatepass")) for text in messages
    )


def target_request(
    target: TargetConfig,
    provider: ProviderConfig,
    max_tokens: int,
    connections: int | None = None,
    instruction: str | None = None,
) -> TargetRequest:
    """Compose the request for a target: the limit, then its provider's mode, then its own options; the last wins.

    Args:
        target: the target's fact in the pool.
        provider: its provider's fact.
        max_tokens: most tokens of an answer, if neither the mode nor the target sets its own.
        connections: calls in flight at once; the provider's number if None.
        instruction: system message for a target that has none of its own.

    Raises:
        UserError: the provider lacks the mode, or an option or role is unknown or belongs in `limits`.
    """
    where = f"target '{target.name}'"
    if target.mode not in provider.modes:
        raise UserError(
            f"{where}: mode: expected one of {', '.join(provider.modes)} (conf/provider/{provider.name}.yaml), found "
            f"'{target.mode}'"
        )
    options = {"max_tokens": max_tokens, **provider.modes[target.mode], **target.generate}
    for key in options:
        if key in TRANSPORT:
            raise UserError(
                f"{where}: generate: expected options that shape the answer, found {key}; set it in limits"
            )
        if key not in GenerateConfig.model_fields:
            raise UserError(
                f"{where}: generate: expected generation options of Inspect, found {key}; remove it or correct its name"
            )
    try:
        GenerateConfig(**options)
    except ValueError as error:
        raise UserError(
            f"{where}: generate: expected values that Inspect takes, found {_short(error)}"
        ) from error
    endpoint = target.endpoint or target.name
    service = f"{provider.name}/" if provider.api == "openai-api" else ""
    return TargetRequest(
        target=target.name,
        model=f"{provider.api}/{service}{endpoint}",
        base_url=target.base_url or provider.base_url,
        api_key_env=provider.api_key_env,
        options=options,
        messages=_conversation(target.messages, instruction, where),
        price_in=target.price_in,
        price_out=target.price_out,
        connections=connections or provider.connections,
    )


def _conversation(
    messages: Sequence[Mapping[str, str]], instruction: str | None, where: str
) -> tuple[tuple[str, str], ...]:
    own = tuple(_message(message, where) for message in messages)
    if instruction is None or any(role == "system" for role, _ in own):
        return own
    return ("system", instruction), *own


def _message(message: Mapping[str, str], where: str) -> tuple[str, str]:
    if set(message) != {"role", "content"}:
        raise UserError(
            f"{where}: messages: expected role and content in each, found {', '.join(message) or 'nothing'}"
        )
    if message["role"] not in ROLES:
        raise UserError(
            f"{where}: messages: expected a role among {', '.join(ROLES)}, found '{message['role']}'"
        )
    return message["role"], message["content"]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
