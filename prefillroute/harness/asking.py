"""One call: stream the answer, time it, keep it. An Inspect solver around it lets Inspect run many at once.

Inspect retries what its providers call transient (429, 5xx, a lost connection, a timeout, silence in a stream). It does
not know a time to first token, nor does it look at a stream that breaks off or holds what is no JSON; those two are
done here.
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
"""Seconds before the second attempt; doubled for each further one."""
GIVE_UP_AFTER = 20
"""Failed calls in a row after which a target is left for the next run: its server is gone, or the key is wrong."""


class NotAsked(RuntimeError):
    """The spend limit was reached before this question, or its target does not answer any more."""


class BrokenAnswer(RuntimeError):
    """The stream ended without saying why: what came may be a part of the answer."""


@dataclass
class Asker:
    """Asks one target, through the ledger and the budget."""

    request: TargetRequest
    model: Model
    ledger: Ledger
    budget: Budget
    tally: Tally
    retries: int
    questions: int
    """How many will come; after the last one the client is closed."""
    _failed_in_a_row: int = field(default=0, init=False)

    async def ask(self, query_id: str, prompt: str) -> Call:
        """The target's answer, from the ledger where it is there.

        Raises:
            NotAsked: no money left, or the target was given up.
            Exception: what the last attempt raised; the failure is in the ledger.
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
        """A question is done with. The client is closed here: later its event loop is gone."""
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
        # Inspect counts cached input apart; what was sent is the sum (DESIGN section 4: prompt_tokens).
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
        Inspect's output, and the seconds from the successful attempt's request to its first token (reasoning
        counts); None when nothing was streamed.

    Raises:
        BrokenAnswer: the stream ended without a reason to stop.
        Exception: what Inspect could not make good by retrying.
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
    # A refusal (content_filter) and a prompt that is too long for the model (model_length) are what the target does
    # with the query: answers, to be scored as they stand.
    if output.stop_reason == "unknown":
        raise BrokenAnswer(output.error or "the stream ended without a finish_reason")
    # Inspect's time covers the attempt that succeeded, from its request to the last token; counted back from the end
    # it leaves out the queue and failed attempts before it.
    if not first or output.time is None:
        return output, None
    return output, max(output.time - (ended - first[0]), 0.0)


@solver
def asking(asker: Asker) -> Solver:
    """Inspect's solver: one question of a task's data set to its target."""

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
    """Whether a failure may go away: not when Inspect has retried it already, nor when the provider refused it."""
    if isinstance(error, RetryError):
        return False
    status = getattr(error, "status_code", None)
    return not (isinstance(status, int) and 400 <= status < 500)


def one_line(error: BaseException) -> str:
    """Kind and message; of retries that ran out, the last one's."""
    if isinstance(error, RetryError) and (last := error.last_attempt.exception()) is not None:
        error = last
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
