"""One call to a target: stream the answer, time it and keep it. An Inspect solver runs many such calls at once.

Inspect retries what its providers call transient (429, 5xx, a lost connection, a timeout, a stream that falls silent).
It does not measure the time to the first token, and it accepts a stream that breaks off or holds invalid JSON. This
module takes care of both.
"""

import time
from dataclasses import dataclass, field

import anyio
from inspect_ai.model import ContentReasoning, Model, ModelOutput, StreamEvent
from inspect_ai.solver import Generate, Solver, TaskState, solver
from tenacity import RetryError

from prefillroute.harness.ledger import Call, Ledger
from prefillroute.harness.progress import Tally
from prefillroute.harness.requests import TargetRequest
from prefillroute.harness.spending import Budget
from prefillroute.outcomes.importers.inspect_samples import TTFT_KEYS

BACKOFF_S = 1.0
"""Seconds before the second attempt; the wait doubles for each further attempt."""
GIVE_UP_AFTER = 20
"""After this many failed calls in a row, a target is left to the next run: its server is down or its key is wrong."""


class NotAsked(RuntimeError):
    """The question was not asked: the spend limit was reached, or its target no longer answers."""


class BrokenAnswer(RuntimeError):
    """The stream ended without a reason to stop, so the answer may be incomplete."""


@dataclass
class Asker:
    """Asks one target its questions, within the budget, and records every answer in the ledger."""

    request: TargetRequest
    model: Model
    ledger: Ledger
    budget: Budget
    tally: Tally
    retries: int
    questions: int
    """Number of questions that will be asked; the client is closed after the last one."""
    _failed_in_a_row: int = field(default=0, init=False)

    async def ask(self, query_id: str, prompt: str) -> Call:
        """Return the target's answer, taken from the ledger if it is already there.

        Raises:
            NotAsked: the budget is used up, or the target has been given up.
            Exception: whatever the last attempt raised; the failure is in the ledger.
        """
        name = self.request.target
        if (known := self.ledger.call(name, query_id)) is not None:
            self.tally.count_answer(name, 0.0)
            return known
        reserved = await self.budget.reserve(self.request.most_usd(prompt) or 0.0)
        if reserved is None:
            raise NotAsked(f"spend limit of {self.budget.limit_usd} USD reached")
        cost_usd: float | None = 0.0
        try:
            if self._failed_in_a_row >= GIVE_UP_AFTER:
                raise NotAsked(f"{name} failed {GIVE_UP_AFTER} calls in a row")
            call = await self._ask(query_id, prompt)
            cost_usd = call.cost_usd
        except NotAsked:
            raise
        except Exception as error:
            self._failed_in_a_row += 1
            self.tally.count_failure(name, one_line(error))
            raise
        finally:
            self.budget.settle(reserved, cost_usd)
        self._failed_in_a_row = 0
        self.ledger.add_call(call)
        self.tally.count_answer(name, call.cost_usd or 0.0)
        return call

    async def leave(self) -> None:
        """Count a question as done, and close the client after the last one, while its event loop still runs."""
        self.questions -= 1
        if self.questions == 0:
            await self.model.api.aclose()

    async def _ask(self, query_id: str, prompt: str) -> Call:
        for attempt in range(1, self.retries + 2):
            try:
                output, ttft_s = await timed_generate(self.model, self.request, prompt)
                return self._call(query_id, output, ttft_s, attempt)
            except Exception as error:
                if attempt > self.retries or not worth_another_attempt(error):
                    self.ledger.add_failure(self.request.target, query_id, one_line(error), attempt)
                    raise
            await anyio.sleep(BACKOFF_S * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def _call(self, query_id: str, output: ModelOutput, ttft_s: float | None, attempts: int) -> Call:
        usage = output.usage
        # Inspect counts cached input separately; prompt_tokens is the sum, all that was sent (DESIGN section 4).
        prompt_tokens = (
            usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            if usage
            else None
        )
        completion_tokens = usage.output_tokens if usage else None
        content = output.message.content
        parts = [] if isinstance(content, str) else content
        return Call(
            target=self.request.target,
            query_id=query_id,
            response=output.message.text,
            reasoning="\n".join(part.reasoning for part in parts if isinstance(part, ContentReasoning)),
            stop_reason=str(output.stop_reason),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            latency_s=output.time,
            ttft_s=ttft_s,
            cost_usd=(
                None
                if prompt_tokens is None or completion_tokens is None
                else self.request.cost_usd(prompt_tokens, completion_tokens)
            ),
            attempts=attempts,
            finished_at=time.time(),
        )


async def timed_generate(
    model: Model, request: TargetRequest, prompt: str
) -> tuple[ModelOutput, float | None]:
    """Stream one answer.

    Returns:
        Inspect's output, and the seconds from the request of the attempt that succeeded to its first token, be it
        reasoning or answer; None if nothing was streamed.

    Raises:
        BrokenAnswer: the stream ended without a reason to stop.
        Exception: an error that remained after Inspect's retries.
    """
    first: list[float] = []

    async def on_stream(event: StreamEvent) -> None:
        if event.type == "retry":
            first.clear()
        elif not first:
            first.append(time.monotonic())

    output = await model.generate(request.conversation(prompt), on_stream=on_stream)
    ended = time.monotonic()
    if not output.choices:
        raise BrokenAnswer(output.error or "no answer in the response")
    # A refusal (content_filter) and a prompt that is too long for the model (model_length) count as answers: that is
    # how the target handles the query, so they are scored like any other.
    if output.stop_reason == "unknown":
        raise BrokenAnswer(output.error or "the stream ended without a finish_reason")
    # Inspect's time covers the attempt that succeeded, from its request to the last token. Counting back from the end
    # leaves out the time spent in the queue and in failed attempts.
    if not first or output.time is None:
        return output, None
    return output, max(output.time - (ended - first[0]), 0.0)


@solver
def asking(asker: Asker) -> Solver:
    """Return an Inspect solver that asks the target one question of a task's data set."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        try:
            call = await asker.ask(str(state.sample_id), state.input_text)
        finally:
            await asker.leave()
        state.output = ModelOutput.from_content(asker.request.model, call.response)
        state.metadata[TTFT_KEYS[0]] = call.ttft_s
        return state

    return solve


def worth_another_attempt(error: BaseException) -> bool:
    """Whether a retry may help: no if Inspect has already retried, and no if the provider refused the request."""
    if isinstance(error, RetryError):
        return False
    status = getattr(error, "status_code", None)
    return not (isinstance(status, int) and 400 <= status < 500)


def one_line(error: BaseException) -> str:
    """The kind and message of an error in one line; if retries ran out, those of the last attempt's error."""
    if isinstance(error, RetryError) and (last := error.last_attempt.exception()) is not None:
        error = last
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
