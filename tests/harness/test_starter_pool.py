"""The pool that ships: made by the seeded generators, answered by real models, worth routing on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.starter_pool.__main__ import QUESTIONS, SEED
from experiments.starter_pool.questions import make_questions
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig, PoolConfig
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.harness.scorers.short_answer import normalised
from prefillroute.outcomes.agreement import agreement_classes
from prefillroute.outcomes.files import OUTCOMES_FILE, QUERIES_FILE, outcome_folder
from prefillroute.outcomes.pool import load_pool

FOLDER = outcome_folder("pkg://prefillroute.starter_pool")


@pytest.fixture(scope="module")
def questions() -> pd.DataFrame:
    return pd.read_parquet(FOLDER / QUERIES_FILE)


def pool() -> PoolConfig:
    return fact(compose_run(["pool=starter"], "pool").pool, PoolConfig)


def test_shipped_questions_are_the_generators(questions: pd.DataFrame) -> None:
    made = make_questions(QUESTIONS, SEED).set_index("query_id")
    columns = ["category", "prompt", "answer"]
    assert (
        questions[columns].to_numpy().tolist() == made.loc[questions["query_id"], columns].to_numpy().tolist()
    )
    assert len(questions) >= 0.95 * QUESTIONS


def test_questions_do_not_depend_on_the_hash_seed() -> None:
    code = "from experiments.starter_pool.questions import make_questions; print(make_questions(300, 5).to_csv())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=Path(__file__).parents[2],
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_smaller_count_is_the_beginning_of_a_larger_one() -> None:
    pd.testing.assert_frame_equal(make_questions(100, 3), make_questions(200, 3).head(100))


def test_prompts_differ_and_are_short(questions: pd.DataFrame) -> None:
    assert not questions["prompt"].str.split().str.join(" ").duplicated().any()
    assert questions["prompt"].str.split().str.len().max() < 100


@pytest.mark.smollm2
def test_prompts_in_tokens(questions: pd.DataFrame) -> None:
    """Mean at most 60 tokens, none over 256, by the encoder's own tokenizer."""
    encoder = TransformersBackend(fact(compose_run([]).encoder, EncoderConfig), ReadRequest())
    counts = [prompt.query_tokens for prompt in encoder.prompts(questions["prompt"].tolist())]
    assert np.mean(counts) <= 60
    assert max(counts) <= 256


def test_no_worked_example_is_a_question(questions: pd.DataFrame) -> None:
    asked = set(questions["prompt"])
    for target in pool().targets:
        assert len(target.messages) >= 2
        assert not {message["content"] for message in target.messages} & asked


def test_every_reference_is_read_as_itself(questions: pd.DataFrame) -> None:
    for answer in questions["answer"]:
        assert normalised(answer)


def test_files_are_small() -> None:
    assert (FOLDER / OUTCOMES_FILE).stat().st_size + (FOLDER / QUERIES_FILE).stat().st_size < 2_000_000


def test_outcomes_are_worth_routing_on() -> None:
    facts = pool()
    targets, outcomes = load_pool(facts.targets, facts.outcomes)
    assert len(targets) >= 4
    accuracy = np.nanmean(outcomes.correct, axis=0)
    assert (accuracy >= 0.05).all()
    assert (accuracy <= 0.95).all()
    assert (agreement_classes(outcomes.labels) == "disagreement").mean() >= 0.35
    assert outcomes.observed.mean() > 0.99
    for measure in (outcomes.prompt_tokens, outcomes.completion_tokens, outcomes.latency_s, outcomes.ttft_s):
        assert (measure[outcomes.observed] > 0).all()
    assert outcomes.completion_tokens[outcomes.observed].max() <= 128
    assert (outcomes.ttft_s[outcomes.observed] <= outcomes.latency_s[outcomes.observed]).all()
