"""What one sample of an Inspect AI log says: its question, its score, what the target's calls took.

Source of the fields' meaning: `inspect_ai.log.EvalSample`, `inspect_ai.model.ModelUsage` (0.3.285).
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # an optional extra; the other layouts work without it
    from inspect_ai.event import ModelEvent
    from inspect_ai.log import EvalLog, EvalSample

CATEGORY_KEYS = ("category", "subject", "domain", "topic", "subset")
"""Entries of a sample's metadata that name its category, the first one found."""
MODE_KEYS = (
    "reasoning_effort", "reasoning_mode", "reasoning_tokens", "effort", "enable_thinking", "thinking", "reasoning",
)  # fmt: skip
"""Settings that make another target of the same model."""
TARGET_KEY = "prefillroute:target"
"""In the metadata of our own logs; two targets may differ in nothing that Inspect names."""
TTFT_KEYS = ("prefillroute:ttft_s", "ttft_s")
"""Entries of a sample's store or metadata with the seconds to the first token."""
SCORING_SPANS = ("scorers", "scorer")
GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's `value_to_float`: correct, incorrect, partial, no answer; and the words that it knows."""
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ScoreError(ValueError):
    """A score that is on no scale from 0 (wrong) to 1 (right)."""


class Answer(NamedTuple):
    """A target's scored answer to one sample in one epoch."""

    sample_id: str
    epoch: int
    question: str
    """The input's text without the choices (whose order may differ from run to run)."""
    prompt: str
    category: str | None
    correct: float
    measures: dict[str, float]
    """Those of ``MEASURES`` that are known."""


def target_name(header: "EvalLog") -> str:
    """The model as the log names it, with its reasoning mode: `openai/o3 (reasoning_effort=high)`; in a log of
    `prefillroute collect` the pool's own name.

    The mode may stand in the model's arguments, the model's generate config and the run's; the last one wins, as
    in Inspect. Servers' own switches (`extra_body`, `chat_template_kwargs`) count as well.
    """
    if isinstance(own := (header.eval.metadata or {}).get(TARGET_KEY), str):
        return own
    settings: dict[str, Any] = dict(header.eval.model_args)
    for config in (header.eval.model_generate_config, header.plan.config):
        body = config.extra_body or {}
        template = body.get("chat_template_kwargs")
        for found in (body, template if isinstance(template, dict) else {}, config.model_dump()):
            settings.update({key: value for key, value in found.items() if value is not None})
    mode = [
        f"{key}={value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)}"
        for key in MODE_KEYS
        if (value := settings.get(key)) is not None
    ]
    return f"{header.eval.model} ({', '.join(mode)})" if mode else header.eval.model


def missing_reason(sample: "EvalSample") -> str | None:
    """Why a sample says nothing about its target, else None.

    A sample that ran into a limit (tokens, time, messages) has the score that Inspect gave it; one that a
    person stopped has not.
    """
    if sample.error is not None:
        return "sample that ended in an error"
    if sample.invalidation is not None:
        return "sample declared invalid"
    if sample.limit is not None and sample.limit.type == "operator":
        return "sample that an operator stopped"
    return None


def question_text(sample: "EvalSample") -> str:
    """The sample's input as text.

    Of chat messages the user's texts, joined by blank lines: system messages, worked examples in assistant
    turns and pictures are left out, as they are not what a router is asked. Where no user speaks, all texts.
    """
    if isinstance(sample.input, str):
        return sample.input
    texts = [message.text for message in sample.input if message.role == "user" and message.text.strip()]
    return "\n\n".join(texts or [message.text for message in sample.input if message.text.strip()])


def prompt_text(sample: "EvalSample") -> str:
    """The question and, where there are choices, each with its letter, as the MMLU-Pro importer writes them."""
    question = question_text(sample)
    choices = [choice.strip() for choice in sample.choices or []]
    if not choices:
        return question
    # Inspect's own names past Z are the numbers from 1.
    names = (*LETTERS, *(str(number) for number in range(1, len(choices))))
    lines = (f"{name}. {choice}" for name, choice in zip(names, choices, strict=False))
    return f"{question.strip()}\n\n" + "\n".join(lines)


def category(sample: "EvalSample") -> str | None:
    """The first of ``CATEGORY_KEYS`` in the metadata that holds a text or number, else None."""
    found = (sample.metadata.get(key) for key in CATEGORY_KEYS)
    return next((str(value) for value in found if isinstance(value, str | int) and str(value).strip()), None)


def score_value(value: Any, metric: str | None) -> float | None:
    """A score as a float in [0, 1]; None where Inspect says that there is none (NaN).

    Args:
        value: C, I, P, N, a boolean, a number, a number as text, or a dict of these.
        metric: key of a dict score; not needed where it has one key.

    Raises:
        ScoreError: for anything else; Inspect itself would take most of it as 0, which is wrong and not unknown.
    """
    if isinstance(value, Mapping):
        if metric is None and len(value) == 1:
            (metric,) = value
        if metric not in value:
            found = "several" if metric is None else f"no '{metric}'"
            raise ScoreError(
                f"expected one value, found {found}; choose {', '.join(map(str, value))} with --metric"
            )
        value = value[metric]
    if value is None:
        return None
    number = _number(value)
    if number is None or not (0 <= number <= 1 or math.isnan(number)):
        raise ScoreError(
            f"expected a number in [0, 1], found {value!r:.60}; choose another with --scorer or --metric"
        )
    return None if math.isnan(number) else number


def measures(sample: "EvalSample", model: str) -> dict[str, float]:
    """Tokens, seconds and USD of the target's own calls in a sample, summed; unknown ones are absent.

    - `prompt_tokens`: input tokens, those read from and written to the provider's cache included (Inspect's
      `input_tokens` leaves them out).
    - `completion_tokens`: output tokens, which by Inspect's meaning include the reasoning tokens.
    - `latency_s`: the successful requests' own time; waiting for a free connection, retries, tools and scoring
      are left out. Unknown where an answer came from Inspect's cache.
    - `ttft_s`: where the store or the metadata has it. `cost_usd`: `total_cost`.

    Calls with a role, and all calls within scorers, are the grader's even where it is the same model. A log
    without events has only the sums per model, in which such a grader is included.
    """
    calls = list(_own_calls(sample, model))
    usages = [call.output.usage for call in calls] or [sample.model_usage.get(model)]
    known = [usage for usage in usages if usage is not None and (usage.total_tokens or usage.output_tokens)]
    found: dict[str, float] = {}
    if len(known) == len(usages):  # a sum with a call left out would be too low
        found["prompt_tokens"] = sum(
            usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            for usage in known
        )
        found["completion_tokens"] = sum(usage.output_tokens for usage in known)
        costs = [usage.total_cost for usage in known if usage.total_cost is not None]
        if len(costs) == len(known):
            found["cost_usd"] = sum(costs)
    times = [call.working_time for call in calls if call.working_time is not None and call.cache != "read"]
    if calls and len(times) == len(calls):
        found["latency_s"] = sum(times)
    entries = {**sample.metadata, **sample.store}
    ttft = next((entries[key] for key in TTFT_KEYS if key in entries), None)
    if isinstance(ttft, int | float) and 0 <= ttft < math.inf:
        found["ttft_s"] = float(ttft)
    return found


def _own_calls(sample: "EvalSample", model: str) -> "Iterable[ModelEvent]":
    scoring: set[str | None] = set()
    for event in sample.events:
        if event.event == "span_begin":
            if event.type in SCORING_SPANS or event.parent_id in scoring:
                scoring.add(event.id)
        elif event.event == "model" and event.model == model and event.role is None:
            is_scoring = event.span_id in scoring
            if not (is_scoring or event.error or event.pending):
                yield event


def _number(value: Any) -> float | None:
    if isinstance(value, str) and (value in GRADES or value.lower() in WORDS):
        return GRADES.get(value, WORDS.get(value.lower()))
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
