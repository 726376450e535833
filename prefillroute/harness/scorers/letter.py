"""Finds the letter of the option that a response chooses, and compares it with the reference."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prefillroute.harness.scorers.contract import Scorer, Verdict

if TYPE_CHECKING:
    from prefillroute.harness.questions import Question

MAX_OPTIONS = len(string.ascii_uppercase)


def _any_case(*words: str) -> str:
    """Pattern for words in lower case, capitalised and in capitals; the option's letter itself stays case-sensitive."""
    return "|".join(dict.fromkeys(form for w in words for form in (w, w.capitalize(), w.upper())))


# Every repetition below is bounded, and runs of white space are folded first, because a response may be megabytes long.
LATEX_BOX = re.compile(r"\\(?:boxed|fbox) ?\{((?:[^{}]|\{[^{}]{0,80}\}){0,200})\}")
LATEX_STYLE = re.compile(r"\\(?:text|textbf|textrm|mathbf|mathrm|mathsf|bf|rm|bm) ?\{([^{}]{0,80})\}")
BOLD_LETTER = re.compile(r"(?:\*{1,3}|__|`)[ (\[]{0,2}([A-Za-z])[ )\].:,]{0,3}(?:\*{1,3}|__|`)")
ANSWER_TAG = re.compile(r"<([A-Za-z_]{0,12}answer)>([^<>]{0,500})</\1>")
MARKUP = re.compile(r"[*`$\"“”<>]+|\\[()\[\],;!: ]|(?<!\w)__|__(?!\w)|^[# ]+", re.MULTILINE)

# "(C)", "[C]", or a bare capital that is not part of a word or formula and not one of several letters named together.
SEVERAL = r"(?! ?(?:or|and|&|/) ?[(\[]?[A-Z]\b|, ?[(\[]?[A-Z]\b(?!['’]))"
BARE_END = r"(?![\w'’^=+#(°%/\\-]| ?[=×·])"
# "A" and "I" are also words: without brackets they count only before punctuation, the end of a line or a reason.
ENGLISH = r"(?=[AI] [\w(])(?!. (?:because|since|as|due|which|is the|is correct|is right)\b)"
LETTER = rf"(?:[(\[] ?([A-Za-z]) ?[)\]]|(?!{ENGLISH})(?<![A-Za-z0-9_])([A-Z]){BARE_END})"
ONE_LETTER = LETTER + SEVERAL

NOUN = (
    "(?:" + _any_case("answer", "option", "choice", "alternative", "letter", "réponse", "respuesta", "resposta")
    + "|" + _any_case("risposta", "antwort", "ответ")
    + "|答案|答え|正解|选项|選項|정답|답|الإجابة|الجواب|उत्तर)"
)  # fmt: skip
VERB = r"(?:is|IS|was|be|would be|should be|must be|will be|seems to be|es|est|é|è|ist|是|为|為|は|은|는)"
FILLER = (
    r"(?:(?:therefore|thus|hence|then|so|likely|probably|most likely|definitely|clearly|indeed|simply|just|the|"
    r"not \(?[A-Z]\)?,? but|given by|closest to|nearest to|closest|"
    + _any_case("option", "choice", "answer", "letter")
    + r")[,:]?\s)"
)
STATED = re.compile(
    rf"{NOUN}(?: to [^.:\n]{{1,80}}?| here| above| below| ?\([^()\n]{{1,30}}\))?"
    rf"(?:\s?{VERB}\s?[:=–—-]?|\s?(?:[:=→]|[-=]>|[–—-] ))\s?{FILLER}{{0,4}}{ONE_LETTER}"
)
CHOSEN = re.compile(
    rf"(?:choose|select|pick|go with|opt for|going with|guess)\s{FILLER}{{0,3}}{ONE_LETTER}(?=\s?[.,;:!\n]|\s?$)"
)
CLAIMED = re.compile(
    r"(?:is|would be|must be|should be|seems)\s(?:therefore |thus |clearly )?(?:the )?"
    r"(?:most |only |best |single |likely ){0,2}(?:correct|right(?!-)|best|answer|accurate|appropriate|closest)"
)
CLAIMANT = re.compile(rf"(?:{NOUN} |(?=[(\[])|^|[,:] |[Ss]o |[Hh]ence |[Tt]hus |[Tt]herefore ){ONE_LETTER}")
SENTENCE_END = re.compile(r".*[.;\n](?= |$)|.*\n", re.DOTALL)
# Where a base model has finished its answer and goes on to write the next worked example of its prompt.
NEXT_EXAMPLE = re.compile(
    r"^(?:(?:Question|Q) ?\d{0,4} ?[:.]|Answer: (?:The answer is|Let's think))", re.MULTILINE
)
ALONE = re.compile(rf"(?:{NOUN}:? ?)?\W{{0,4}}([A-Za-z])\W{{0,4}}")
LISTED = re.compile(r"^[-• ]{0,3}(?:[(\[]([A-Z])[)\]]|([A-Z])[.):](?= ))", re.MULTILINE)
MENTIONED = re.compile(rf"(?:{NOUN} |(?=\()){LETTER}")
WHOLE_SENTENCE = re.compile(r"[.!?)\]'。！？]$")
CLAIM_REACH = 100
"""Number of characters before "is correct" that are searched for the letter."""
CLAIMS = 200
"""Only this many of the last claims ("... is correct") are looked at."""


class Letter(Scorer):
    """Scores 1 if the response's last conclusion is the letter of the right option.

    ``question.facts["num_options"]`` is the number of options (26 if it is missing).
    """

    async def score(self, question: Question, response: str) -> Verdict:
        """Compare letters; a response that names no option, or several, is wrong."""
        letter = read_letter(response, int(question.facts.get("num_options", MAX_OPTIONS)))
        return Verdict(correct=float(letter == question.answer.strip().upper()), answer=letter or "")


def read_letter(response: str, num_options: int) -> str | None:
    """Return the option that a response settles on; None if it settles on none. Takes time linear in its length.

    This follows MMLU-Pro's own extraction (`evaluate_from_api.py`: `answer is (X)`, else `Answer: X`, else the last
    lone capital) but departs from it where that is plainly wrong:

    - of several conclusions, the last one counts rather than the first, but nothing counts that a base model writes
      after it has gone on to a next "Question:" or "Answer: The answer is";
    - markdown, LaTeX (`\\boxed{X}`), full-width letters, "closest to option (X)", "(X) is correct" and the word for
      "answer" in a dozen languages are understood;
    - a letter beyond the options is ignored, "A" and "I" before a word are English words, and "A or B" is not a
      conclusion;
    - the last lone capital is not taken wherever it stands (it may be a unit as in "5 A", the pronoun in "I cannot
      tell", or an option under discussion when a response was cut off): only the first or last line counts, and only
      if it *is* an option or is a whole sentence that mentions exactly one;
    - nothing is guessed at random.

    Args:
        response: any text.
        num_options: number of options, 1 to 26.

    Example:
        >>> read_letter("**Answer: (C)**, because A is wrong.", 4)
        'C'
        >>> read_letter("Therefore, I cannot provide an answer.", 10)
    """
    allowed = string.ascii_uppercase[:num_options]
    text = _plain(response)
    found = _conclusions(text, allowed)
    if found:
        return found
    lines = [line for line in (raw.strip() for raw in text.splitlines()) if line]
    if not lines:
        return None
    listed = set(_letters(LISTED, text, allowed))
    for line in (lines[-1], lines[0]):
        if (alone := ALONE.fullmatch(line)) and alone[1].upper() in allowed:
            return alone[1].upper()
        # One option written out is an answer; several are a list that the response works through.
        if len(listed) == 1 and (start := set(_letters(LISTED, line, allowed))):
            return start.pop()
    mentioned = set(_letters(MENTIONED, lines[-1], allowed))
    return mentioned.pop() if len(mentioned) == 1 and WHOLE_SENTENCE.search(lines[-1]) else None


def _plain(response: str) -> str:
    """Remove markup from a text; a box becomes "answer: X", and a letter in bold becomes "(X)"."""
    text = unicodedata.normalize("NFKC", response)
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n[ \n]*", "\n", text)
    text = ANSWER_TAG.sub(r"answer: \2\n", text)
    text = LATEX_STYLE.sub(r"\1", text)
    text = LATEX_BOX.sub(r" answer: \1 \n", text)
    text = BOLD_LETTER.sub(r"(\1)", text)
    return MARKUP.sub("", text)


def _conclusions(text: str, allowed: str) -> str | None:
    """Return the letter of the last conclusion before a next example begins."""
    found = [
        (match.start(), match.end(), letter)
        for pattern in (STATED, CHOSEN)
        for match in pattern.finditer(text)
        if (letter := _letter(match, allowed))
    ]
    for claim in list(CLAIMED.finditer(text))[-CLAIMS:]:
        before = text[max(0, claim.start() - CLAIM_REACH) : claim.start()]
        sentence = SENTENCE_END.sub("", before, count=1)
        if named := list(_letters(CLAIMANT, sentence.lstrip(), allowed)):
            found.append((claim.start(), claim.end(), named[-1]))
    if not found:
        return None
    following = NEXT_EXAMPLE.search(text, min(end for _, end, _ in found))
    last = following.start() if following else len(text)
    return max(entry for entry in found if entry[1] <= last)[2]


def _letters(pattern: re.Pattern[str], text: str, allowed: str) -> Iterator[str]:
    return (letter for match in pattern.finditer(text) if (letter := _letter(match, allowed)))


def _letter(match: re.Match[str], allowed: str) -> str | None:
    letter = (match[1] or match[2]).upper()
    return letter if letter in allowed else None
