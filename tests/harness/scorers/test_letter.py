"""The option's letter: forms that chat models use, real ugly responses, MMLU-Pro's own extraction."""

import json
import time
import zipfile

import pytest

from prefillroute.harness.scorers.letter import Letter, read_letter

RUNAWAY = (
    "Personal preferences of the marketing team is not considered as an external marketing environment. The answer "
    "is (C).\n\nAnswer: The answer is (G).\n\nAnswer: The answer is (A).\n\nteacher=The answer is (G). Door to door"
)
CUT_OFF_IN_FAHRENHEIT = (
    "1. Identify the given parameters:\n - Initial temperature, $T_1 = 200^\\circ\\text{F} = 660^\\circ\\text{R}$\n"
    "3. Apply the continuity equation ($\\dot{m} = \\rho_1 A_1 V_1$):\n   Express velocities $V_1"
)
CUT_OFF_IN_A_LIST = (
    "Now, let's consider the options:\n\nA. The daughter was not a party to the original mortgage contract, but this "
    "doesn't necessarily mean the company can't seek payment from her.\nB. The mortgage company may have the right.\n"
    "I. The borrower defaulted on the mortgage, but this doesn't mean the company can seek payment from the"
)


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is (C).", "C"),
        ("The answer is C.", "C"),
        ("The answer is I", "I"),
        ("The answer is A.", "A"),
        ("Answer:C", "C"),
        ("ANSWER: D", "D"),
        ("**Answer: (C)**", "C"),
        ("**Answer:** C", "C"),
        ("The correct option is **B) Paris**", "B"),
        ("The answer is:\n\n**C. 42 apples**", "C"),
        ("so $\\boxed{C}$.", "C"),
        ("Final Answer: The final answer is $\\boxed{I}$. I hope it is correct.", "I"),
        ("$$\\boxed{\\mathbf{(D)}}$$", "D"),
        ("\\boxed{\\text{C. } 42}", "C"),
        ("The answer is \\(C\\).", "C"),
        ("<answer>C</answer>", "C"),
        ('{"answer": "C"}', "C"),
        ("Answer: C because A is wrong", "C"),
        ("The answer is A because it fits", "A"),
        ("The answer is option A: the first", "A"),
        ("So (C) is the correct answer, (D) is not.", "C"),
        ("Option D is correct.", "D"),
        ("I would go with B.", "B"),
        ("The answer is not (A) but (C).", "C"),
        ("C", "C"),
        ("(b)", "B"),
        ("**B**", "B"),
        ("C. 42 apples\n\nExplanation: six times seven.", "C"),
        ("## Final answer\n\n(C)", "C"),
    ],
)
def test_forms(response, letter):
    assert read_letter(response, 10) == letter


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is B. No, wait: the answer is D.", "D"),
        ("Option A is correct at first sight.\nThe answer is (B).", "B"),
        ("The answer is (A).\n\nQuestion: Who?\nAnswer: Let's think. The answer is (B).", "A"),
        (RUNAWAY, "C"),
    ],
)
def test_last_conclusion_wins_up_to_a_next_example(response, letter):
    assert read_letter(response, 10) == letter


@pytest.mark.parametrize(
    "response",
    [
        "",
        " \n\t",
        "The answer is (",
        "The answer is",
        "Therefore, I cannot provide an answer.",
        "I",
        "The answer is I'm not sure.",
        "The answer is A new kind of thing.",
        "The answer is a matter of taste.",
        "Answer: D-glucose",
        "Answer: A = 5 m",
        "= 20 C",
        "The current is 5 A.",
        "Answer: A or B",
        "The answer is (A) and (C).",
        "Answer: A, B",
        "The answer is neither A nor B",
        "The options: A. cat B. dog",
        "A. cat\nB. dog\nC. cow",
        "\\boxed{42}",
        "The answer is not listed.",
        CUT_OFF_IN_FAHRENHEIT,
        CUT_OFF_IN_A_LIST,
        "我不知道。",
        "Я не знаю",
        "\x00\ud800\u202e",
    ],
)
def test_no_conclusion_is_none(response):
    assert read_letter(response, 4) is None


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("正确答案：Ｄ", "D"),
        ("答案是C。", "C"),
        ("Ответ: B", "B"),
        ("La respuesta es C.", "C"),
        ("Die Antwort ist B.", "B"),
        ("La réponse est (A).", "A"),
    ],
)
def test_other_languages(response, letter):
    assert read_letter(response, 10) == letter


def test_letters_beyond_the_options_are_none():
    assert read_letter("The answer is (E).", 5) == "E"
    assert read_letter("The answer is (E).", 4) is None
    assert read_letter("The answer is (B). It is 5 F. Answer: F", 4) == "B"


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        # The owners published no letter for the first two, the pronoun "I" for the third.
        ("The answer is not listed in the options, but the closest one is (F) $162.47.\nAnswer: F\n\n", "F"),
        ("The answer is closest to option (J) 275 lbs.", "J"),
        ("...the cavitation number. Therefore, I cannot provide an answer.\n", None),
        ("we cannot determine the correct answer from the given options.", None),
        ("Therefore, the closest answer is F.\n\nThe answer is (F)\n", "F"),
        ("However, option E (250 db/meter) is the closest.\n\nThe answer is (E).\n", "E"),
        ("Rounding to the nearest whole number, the answer is (G) 4364 hp.", "G"),
        ("The correct answer is (B): 1.5 × 10^8V/cm, 10V, 50V.", "B"),
        ("### Final Answer\nThe answer is (C). The answer is (C).", "C"),
        ("he will be paid $2.89 * 9 * 6 = $156.33. The answer is (C).\n\n", "C"),
    ],
)
def test_real_responses(response, letter):
    assert read_letter(response, 10) == letter


@pytest.mark.parametrize(
    "unit",
    [
        "answer is ", "The answer is (C) because it is. ", "(A) ", "option A ", "(", "*", "{", "\\boxed{",
        "\\boxed{\\text{", "#", "> # ", " ", "answer\n \n", "A.\n", "So B is ", "Question: ", "答案", "a\u0301",
    ],
)  # fmt: skip
def test_a_megabyte_is_read_in_seconds(unit):
    start = time.perf_counter()
    read_letter("answer" + unit * (1_000_000 // len(unit)) + "\nThe answer is D", 10)
    assert time.perf_counter() - start < 30  # half a second here; what backtracks takes hours


@pytest.mark.parametrize(
    ("response", "answer", "correct", "read"),
    [
        ("The answer is (C).", "C", 1.0, "C"),
        ("The answer is (C).", " c ", 1.0, "C"),
        ("The answer is (C).", "B", 0.0, "C"),
        ("No idea", "B", 0.0, ""),
        ("", "B", 0.0, ""),
    ],
)
def test_scorer(scored, response, answer, correct, read):
    verdict = scored(Letter(), response, answer=answer, num_options=10)
    assert (verdict.correct, verdict.answer, verdict.cost_usd) == (correct, read, 0.0)


def test_scorer_without_num_options(scored):
    assert scored(Letter(), "The answer is (K).", answer="K").correct == 1.0


@pytest.mark.shared_data
def test_agreement_with_the_published_letters(real_data):
    """86 of 90; of the others the owners read the pronoun "I" as an option three times, and once missed "Answer: F"."""
    differing = []
    for file in sorted((real_data("mmlu_pro_raw") / "eval_results").glob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            records = [r for name in archive.namelist() for r in json.loads(archive.read(name))]
        assert len(records) == 30
        for record in records:
            response = record.get("model_outputs") or record["generated_text"]
            letter = read_letter(response, len(record["options"]))
            if letter != record["pred"]:
                differing.append((record["pred"], letter))
    assert sorted(differing, key=str) == [("I", None), ("I", None), ("I", None), (None, "F")]
