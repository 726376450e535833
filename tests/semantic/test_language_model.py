"""Perplexity by a toy causal model against transformers' own loss and torch's Categorical."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Categorical
from transformers import AutoModelForCausalLM, AutoTokenizer

from experiments.badinput import toy
from prefillroute.caches.reader import ActivationCache
from prefillroute.config.facts import LanguageModelConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.semantic import language_model
from prefillroute.semantic.language_model import POOLING, RATING_QUESTION, RATINGS, LanguageModelReader

TEXTS = ["add 1000 and 17", "x", "spell the number 1001 backwards", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("language_model")
    toy.write_encoder(path)
    return path


@pytest.fixture(scope="module")
def reader(folder: Path) -> LanguageModelReader:
    facts = LanguageModelConfig(name="toy", repo=str(folder), context_length=toy.CONTEXT_LENGTH)
    return LanguageModelReader(facts, ReadRequest(), "cpu")


def read(reader: LanguageModelReader, texts: list[str]) -> np.ndarray:
    return read_together(reader, [prompt.token_ids for prompt in reader.prompts(texts)])[POOLING][:, 0]


def test_numbers_are_those_of_transformers_and_torch(reader: LanguageModelReader, folder: Path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    for text, found in zip(TEXTS[:3], read(reader, TEXTS[:3]), strict=True):
        ids = torch.tensor(
            [[tokenizer.eos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]]
        )
        with torch.no_grad():
            out = model(ids, labels=ids)
            asked = tokenizer(text + RATING_QUESTION + " 1", add_special_tokens=False)["input_ids"][:-1]
            last = model(torch.tensor([[tokenizer.eos_token_id, *asked]])).logits[0, -1]
        surprise = torch.nn.functional.cross_entropy(out.logits[0, :-1], ids[0, 1:], reduction="none")
        rating = last[tokenizer.convert_tokens_to_ids(list(RATINGS))].softmax(0) @ torch.linspace(0, 1, 9)
        wanted = [
            -float(out.loss),
            float(out.loss.exp()),
            float(surprise.max()),
            float(Categorical(logits=out.logits[0, :-1]).entropy().mean()),
            float(rating),
        ]
        np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_batched_equals_one_by_one(reader: LanguageModelReader) -> None:
    alone = np.concatenate([read(reader, [text]) for text in TEXTS])
    np.testing.assert_allclose(read(reader, TEXTS), alone, rtol=1e-4, atol=1e-6)


def test_how_many_tokens_are_read_together_changes_nothing(
    reader: LanguageModelReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(reader, TEXTS)
    monkeypatch.setattr(language_model, "TOKENS_AT_ONCE", 7)
    monkeypatch.setattr(language_model, "TOKENS_IN_CACHE", 3)  # 7 is no multiple: the last part is short
    np.testing.assert_allclose(read(reader, TEXTS), whole, rtol=1e-5, atol=1e-7)


def test_an_empty_query_has_perplexity_one(reader: LanguageModelReader) -> None:
    mean, perplexity, surprise, entropy, rating = read(reader, [""])[0]
    assert (mean, perplexity, surprise) == (0, 1, 0)
    assert entropy > 0
    assert 0 <= rating <= 1


def test_a_long_query_loses_its_middle_and_keeps_the_question(reader: LanguageModelReader) -> None:
    short, long = reader.prompts(["abc", "a" * 300 + "z"])
    assert not short.truncated
    assert long.truncated
    assert len(long.token_ids) == toy.CONTEXT_LENGTH
    question = len(reader.prompts.after)
    np.testing.assert_array_equal(long.token_ids[-question:], short.token_ids[-question:])
    assert long.token_ids[-question - 1] == reader.prompts(["z"])[0].token_ids[1]


def test_cached_once_and_refused_for_another_model(folder: Path, tmp_path: Path) -> None:
    def bring(context_length: int) -> int:
        facts = LanguageModelConfig(name="toy", repo=str(folder), context_length=context_length)
        reader = LanguageModelReader(facts, ReadRequest(), "cpu")
        report = extract(reader, ["a", "b", "c"], TEXTS[:3], tmp_path)
        return report.new_rows

    assert bring(toy.CONTEXT_LENGTH) == 3
    assert bring(toy.CONTEXT_LENGTH) == 0
    cache = ActivationCache(tmp_path / "language_model.toy-plain.h5")
    assert cache.select(["c", "a"], [TEXTS[2], TEXTS[0]]).read(0, POOLING).shape == (2, 5)
    with pytest.raises(
        UserError,
        match=r"expected max_length=100 .*found .*max_length=128;.*prefillroute perplexity language_model=toy",
    ):
        bring(100)
    with pytest.raises(
        UserError, match=r"1 of 2 queries are cached.*prefillroute perplexity language_model=toy"
    ):
        cache.select(["a", "new"], [TEXTS[0], "new"])


def test_no_room_for_a_query_is_said(folder: Path) -> None:
    facts = LanguageModelConfig(name="toy", repo=str(folder), context_length=40)
    with pytest.raises(
        UserError,
        match=r"max_length: expected more than the \d+ tokens that language_model toy needs around a query, found 40",
    ):
        LanguageModelReader(facts, ReadRequest(), "cpu")
