"""Template, truncation and dates: what is fed is what was meant."""

import numpy as np
import pytest

from prefillroute.errors import UserError
from prefillroute.extraction.prompts import PromptEncoder


@pytest.fixture
def text_of(make_tokenizer):
    tokenizer = make_tokenizer()
    return lambda ids: tokenizer.decode(ids.tolist())


def test_template_and_generation_prompt(make_tokenizer, text_of):
    (encoded,) = PromptEncoder(make_tokenizer(), max_length=200)(["  Why? "])
    assert text_of(encoded.token_ids) == "[2025-01-01]<s><user>Why?</><assistant>"  # the template trims
    assert encoded.token_ids.dtype == np.int32
    assert (encoded.query_tokens, encoded.truncated) == (7, False)  # of the bare query


def test_template_arguments_reach_the_template(make_tokenizer, text_of):
    (encoded,) = PromptEncoder(make_tokenizer(), chat_template_kwargs={"think": True})(["Why?"])
    assert text_of(encoded.token_ids).endswith("<think><assistant>")


def test_only_the_query_is_cut_and_head_and_tail_stay(make_tokenizer, text_of):
    query = "".join(chr(65 + i % 26) for i in range(300))
    long, short = PromptEncoder(make_tokenizer(), max_length=60)([query, "Why?"])
    assert len(long.token_ids) == 60
    assert (long.query_tokens, long.truncated, short.truncated) == (300, True, False)
    overhead = len("[2025-01-01]<s><user></><assistant>")
    kept = 60 - overhead
    text = text_of(long.token_ids)
    assert text.startswith("[2025-01-01]<s><user>" + query[: kept - kept // 2])
    assert text.endswith(query[-(kept // 2) :] + "</><assistant>")


@pytest.mark.parametrize("excess", [0, 1, 2])
def test_the_limit_is_exact(make_tokenizer, excess):
    overhead = len("[2025-01-01]<s><user></><assistant>")
    (encoded,) = PromptEncoder(make_tokenizer(), max_length=overhead + 10)(["x" * (10 + excess)])
    assert len(encoded.token_ids) == overhead + 10
    assert encoded.truncated == (excess > 0)


def test_a_cut_query_of_wide_characters_keeps_its_ids(make_tokenizer):
    """Tokens are cut, not characters: nothing is encoded again."""
    whole, cut = (
        PromptEncoder(make_tokenizer(), max_length=n)(["é漢🙂" * 40])[0].token_ids for n in (4096, 80)
    )
    assert len(cut) == 80
    head = next(i for i in range(80) if cut[i] != whole[i])
    assert np.array_equal(np.concatenate([whole[:head], whole[len(whole) - (80 - head) :]]), cut)


def test_plain_prompts_have_no_template(make_tokenizer, text_of):
    encode = PromptEncoder(make_tokenizer(template=None), prompt_format="plain", max_length=20)
    assert text_of(encode(["Why?"])[0].token_ids) == "Why?"
    assert encode.template_digest == "none"
    assert text_of(encode(["a" * 15 + "b" * 15])[0].token_ids) == "a" * 10 + "b" * 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"template": None},
            "expected a tokenizer with a chat template, found none; use encoder.prompt_format=plain",
        ),
        ({"template": "{{ raise_exception('no user role') }}"}, r"its chat template fails \(no user role"),
        ({"template": "constant"}, "expected a chat template that prints the query once, found it 0 times"),
        (
            {"template": "{{ messages[0].content }}{{ messages[0].content }}"},
            "expected a chat template that prints the query once, found it 2 times",
        ),
    ],
)
def test_bad_templates(make_tokenizer, changes, message):
    with pytest.raises(UserError, match=f"encoder toy: {message}"):
        PromptEncoder(make_tokenizer(**changes), encoder="toy")


def test_no_room_for_the_query(make_tokenizer):
    with pytest.raises(
        UserError, match=r"max_length: expected more than the \d+ tokens of encoder encoder's template"
    ):
        PromptEncoder(make_tokenizer(), max_length=20)


def test_text_that_is_no_unicode(make_tokenizer):
    with pytest.raises(UserError, match="found text that is not valid Unicode"):
        PromptEncoder(make_tokenizer())(["fine", "broken \udc80 byte"])
