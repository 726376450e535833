"""What exactly is asked of a target: its model, its messages and its generation options (paper section 4.1).

The provider adapter is a fact (``conf/provider``): Inspect AI has the providers, retries and streaming; an adapter only
says which of its options a mode of a model means, for instance `reasoning_effort: high` or `enable_thinking`.
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
"""Options that do not change what is answered: left to `limits`, never part of the fingerprint."""
TEMPLATE_TOKENS, MESSAGE_TOKENS = 256, 16
"""What a chat template may add, with a system prompt of its own, and what it may put around each message."""


@dataclass(frozen=True)
class TargetRequest:
    """A target, ready to be asked. Two requests with one fingerprint get the same kind of answer."""

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
        """What the answers depend on; where the endpoint is and what it costs is not part of it."""
        return {
            "model": self.model,
            "options": dict(self.options),
            "messages": [list(m) for m in self.messages],
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 over ``described``."""
        return hashlib.sha256(json.dumps(self.described, sort_keys=True).encode()).hexdigest()

    @property
    def max_tokens(self) -> int:
        """Most tokens of an answer."""
        return int(self.options["max_tokens"])

    def conversation(self, prompt: str) -> list[ChatMessage]:
        """The messages of one question."""
        return [ROLES[role](content) for role, content in (*self.messages, ("user", prompt))]

    def cost_usd(self, prompt_tokens: float, completion_tokens: float) -> float | None:
        """Price of a call at the pool's list prices in USD; None where the pool has none.

        A provider's discount for a cached prefix is not reckoned with: an upper bound.
        """
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6

    def most_usd(self, prompt: str) -> float | None:
        """The most that one call can cost in USD: an answer of `max_tokens`; None without prices."""
        texts = [content for _, content in self.messages]
        return self.cost_usd(most_prompt_tokens([*texts, prompt]), self.max_tokens)

    def open(self, **transport: Any) -> Model:
        """Inspect's client of the model.

        Raises:
            UserError: for a missing API key or package.
        """
        if self.api_key_env and not os.environ.get(self.api_key_env):
            raise UserError(
                f"target '{self.target}': {self.api_key_env} is not set; expected the provider's key"
            )
        key = os.environ[self.api_key_env] if self.api_key_env else None
        if key is None and self.model.startswith("openai-api/"):
            key = "none"  # the client insists on one; a server of one's own ignores it
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
                f"target '{self.target}': {self.model} cannot be opened ({_short(error)})"
            ) from error


def most_prompt_tokens(messages: Sequence[str]) -> int:
    """More tokens than any tokenizer makes of these messages: no token is shorter than a byte of UTF-8."""
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
    """Compose what is asked of a target: the limit, then the mode of its provider, then its own options.

    Args:
        target: the pool's fact.
        provider: its provider's fact.
        max_tokens: of an answer, where neither says.
        connections: calls at once; the provider's number when None.
        instruction: system message of a target that has none.

    Raises:
        UserError: for a mode that the provider lacks, an unknown option or role, or a transport option.
    """
    where = f"target '{target.name}'"
    if target.mode not in provider.modes:
        raise UserError(
            f"{where}: mode '{target.mode}' is not in conf/provider/{provider.name}.yaml; "
            f"allowed are {', '.join(provider.modes)}"
        )
    options = {"max_tokens": max_tokens, **provider.modes[target.mode], **target.generate}
    for key in options:
        if key in TRANSPORT:
            raise UserError(f"{where}: generate.{key} is not an option of the answer; set it in limits")
        if key not in GenerateConfig.model_fields:
            raise UserError(
                f"{where}: generate.{key} is unknown; expected one of Inspect's generation options"
            )
    try:
        GenerateConfig(**options)
    except ValueError as error:
        raise UserError(f"{where}: generate: {_short(error)}") from error
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
            f"{where}: a message has {', '.join(message) or 'nothing'}; expected role and content"
        )
    if message["role"] not in ROLES:
        raise UserError(f"{where}: role '{message['role']}'; expected one of {', '.join(ROLES)}")
    return message["role"], message["content"]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
