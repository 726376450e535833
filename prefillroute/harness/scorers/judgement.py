"""The prompt that a judge gets, and the reading of its reply."""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

# Verbatim from github.com/centerforaisafety/hle (MIT), hle_eval/run_judge_results.py, including its slips: another
# prompt would be another benchmark. inspect_evals.hle has it too, but importing that loads every part of its task.
PROMPT = r"""Judge whether the following [response] to [question] is correct or not based on the precise and unambiguous [correct_answer] below.

[question]: {question}

[response]: {response}

Your judgement must be in the format and criteria specified below:

extracted_final_answer: The final exact answer extracted from the [response]. Put the extracted answer as 'None' if there is no exact, final answer to extract from the response.

[correct_answer]: {correct_answer}

reasoning: Explain why the extracted_final_answer is correct or incorrect based on [correct_answer], focusing only on if there are meaningful differences between [correct_answer] and the extracted_final_answer. Do not comment on any background to the problem, do not attempt to solve the problem, do not argue for any answer different than [correct_answer], focus only on whether the answers match.

correct: Answer 'yes' if extracted_final_answer matches the [correct_answer] given above, or is within a small margin of error for numerical problems. Answer 'no' otherwise, i.e. if there if there is any inconsistency, ambiguity, non-equivalency, or if the extracted answer is incorrect.


confidence: The extracted confidence score between 0|\%| and 100|\%| from [response]. Put 100 if there is no confidence score available."""  # noqa: E501

DECISION = re.compile(
    r"(?<![\w\[])correct\b[\"'*`\]]{0,4}\s?[:=][\"'*`\s]{0,6}(yes|no)\b(?!['\"]?\s?(?:/|or\b))", re.IGNORECASE
)
WORD = re.compile(r"\W{0,4}(yes|no)\W{0,4}", re.IGNORECASE)
ANSWER = re.compile(r"extracted_final_answer\W{1,8}?([^\n\"]{1,500})")
REASONING = re.compile(r"reasoning\W{1,8}?([^\n\"]{1,2000})")


class Judgement(BaseModel):
    """The form in which a judge is asked to reply."""

    extracted_final_answer: str
    reasoning: str
    correct: Literal["yes", "no"]
    confidence: int


@dataclass(frozen=True)
class ReadJudgement:
    """The parts of a judge's reply that matter."""

    correct: bool
    answer: str
    reasoning: str


def read_judgement(reply: str) -> ReadJudgement | None:
    """Read the verdict from a reply, either JSON or lines of `key: value`; None if there is none, or yes as well as no.

    Example:
        >>> read_judgement("extracted_final_answer: 12\\nreasoning: They match.\\n**correct:** Yes.").correct
        True
        >>> read_judgement("correct: yes\\n...\\ncorrect: no")
    """
    fields = _json_fields(reply)
    if fields is not None and "correct" in fields:
        value = fields["correct"]
        word = WORD.fullmatch("yes" if value is True else "no" if value is False else str(value))
        if word is None:
            return None
        answer, reasoning = (str(fields.get(key, "")) for key in ("extracted_final_answer", "reasoning"))
        return ReadJudgement(word[1].lower() == "yes", answer, reasoning)
    decided = {match[1].lower() for match in DECISION.finditer(reply)}
    if len(decided) != 1:
        return None
    answer, reasoning = (
        found[1].strip(" *`,") if (found := pattern.search(reply)) else "" for pattern in (ANSWER, REASONING)
    )
    return ReadJudgement(decided == {"yes"}, answer, reasoning)


def _json_fields(reply: str) -> dict[str, Any] | None:
    start, end = reply.find("{"), reply.rfind("}")
    try:
        found = json.loads(reply[start : end + 1], strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
