"""An LLM judge that compares a response with the reference answer, as in Humanity's Last Exam."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from inspect_ai.model import GenerateConfig, Model, ModelUsage, ResponseSchema, get_model
from inspect_ai.util import json_schema

from prefillroute.errors import UserError
from prefillroute.harness.requests import most_prompt_tokens
from prefillroute.harness.scorers.contract import Scorer, Verdict
from prefillroute.harness.scorers.judgement import PROMPT, Judgement, read_judgement

if TYPE_CHECKING:
    from prefillroute.harness.questions import Question

MARKUP = re.compile(r"\[/?(?:bold|blue|red|link)[^\]]*\]")
SHOWN = 300
"""Characters of an unreadable judgement that a message quotes."""


class Judge(Scorer):
    """Asks a model whether a response matches the reference.

    If a reply does not hold exactly one verdict, the judge is asked again. After `attempts` such replies, or if the
    call itself fails, the outcome is missing. An empty response is wrong and costs nothing.

    Args:
        model: Inspect's name, `<provider>/<model>`; `openai-api/<service>/<model>` for your own server, whose address
            and key are read from <SERVICE>_BASE_URL and <SERVICE>_API_KEY.
        price_in: USD per 10^6 tokens read; if null, as `price_out` must then be, verdicts are booked as free.
        price_out: USD per 10^6 tokens written.
        max_tokens: most tokens of a judgement; HLE's own run allows 4,096.
        attempts: judgements to ask for before the outcome counts as missing.
        structured: ask for JSON that follows a schema, as HLE's own run does; false for servers that refuse it.
        max_retries: further calls after one that fails (Inspect waits longer each time, starting at 3 s).
        timeout_s: seconds after which one call is given up.

    Raises:
        UserError: a price or a number is invalid.
    """

    def __init__(
        self,
        model: str = "openai/gpt-4o",
        price_in: float | None = None,
        price_out: float | None = None,
        max_tokens: int = 4096,
        attempts: int = 3,
        structured: bool = True,
        max_retries: int = 6,
        timeout_s: int = 300,
    ) -> None:
        if (price_in is None) != (price_out is None):
            raise UserError(
                f"judge: expected both prices or neither, found price_in={price_in} and price_out={price_out}"
            )
        for name, value in {"price_in": price_in, "price_out": price_out, "max_retries": max_retries}.items():
            if value is not None and value < 0:
                raise UserError(f"judge: {name}: expected 0 or more, found {value}")
        for name, value in {"max_tokens": max_tokens, "attempts": attempts, "timeout_s": timeout_s}.items():
            if value < 1:
                raise UserError(f"judge: {name}: expected at least 1, found {value}")
        self.model = model
        self._priced = price_in is not None
        self.price_in = price_in or 0.0
        self.price_out = price_out or 0.0
        self.attempts = attempts
        self.max_tokens = max_tokens
        schema = ResponseSchema(name="Judgement", json_schema=json_schema(Judgement), strict=True)
        self._config = GenerateConfig(
            temperature=0.0,
            max_tokens=max_tokens,
            max_retries=max_retries,
            attempt_timeout=timeout_s,
            response_schema=schema if structured else None,
        )

    @property
    def identity(self) -> str:
        """The judge's name and a digest of its prompt, since another judge may reach another verdict."""
        return f"Judge({self.model}, {hashlib.sha256(PROMPT.encode()).hexdigest()[:8]})"

    @property
    def costs_known(self) -> bool:
        """Whether prices were given."""
        return self._priced

    def most_usd(self, question: Question, response: str) -> float:
        """The price of `attempts` judgements of `max_tokens` each; 0 without prices or a response."""
        if not response.strip():
            return 0.0
        # A provider may bill the schema of the reply as text that is sent.
        schema = str(Judgement.model_json_schema())
        read = most_prompt_tokens([_prompt(question, response), schema])
        return self.attempts * (read * self.price_in + self.max_tokens * self.price_out) / 1e6

    def check(self) -> None:
        """Open the judge's client without asking it anything.

        Raises:
            UserError: the provider is unknown, or a package or a key is missing; the message names it.
        """
        self._open()

    async def score(self, question: Question, response: str) -> Verdict:
        """Ask the judge; `cost_usd` covers every judgement asked for, including unreadable ones."""
        if not response.strip():
            return Verdict(correct=0.0, answer="", explanation="empty response")
        prompt = _prompt(question, response)
        cost, last = 0.0, ""
        try:
            # Open a client for this call and close it at the end: a shared one would be bound to the first event loop.
            async with self._open() as model:
                for _ in range(self.attempts):
                    reply = await model.generate(prompt)
                    cost += self._cost_usd(reply.usage)
                    last = reply.completion
                    if judgement := read_judgement(last):
                        return Verdict(float(judgement.correct), judgement.answer, judgement.reasoning, cost)
        except Exception as error:  # whatever a provider raises is the judge's failure, not the target's
            reason = str(error) if isinstance(error, UserError) else f"judge {self.model}: {error!r}"
            return Verdict(None, "", _one_line(reason), cost)
        reason = (
            f"judge {self.model}: expected a verdict, found none in {self.attempts} judgements; the last: "
            f"{_one_line(last)!r}"
        )
        return Verdict(None, "", reason, cost)

    def _open(self) -> Model:
        try:
            return get_model(self.model, config=self._config, memoize=False)
        except Exception as error:  # a provider's package may raise anything when it is missing or misused
            reason = _one_line(MARKUP.sub("", str(error))).removeprefix("ERROR: ")
            raise UserError(
                f"judge {self.model}: expected a model that Inspect can open, found: {reason}"
            ) from error

    def _cost_usd(self, usage: ModelUsage | None) -> float:
        if usage is None:
            return 0.0
        cached = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
        return ((usage.input_tokens + cached) * self.price_in + usage.output_tokens * self.price_out) / 1e6


def _prompt(question: Question, response: str) -> str:
    return PROMPT.format(question=question.prompt, response=response, correct_answer=question.answer)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:SHOWN]
