"""Logs of Inspect AI, each made here by running Inspect with its own `mockllm` provider."""

import gc
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from inspect_ai import Epochs, Task
from inspect_ai import eval as run_inspect
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import (
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.scorer import Score, accuracy, match, mean, scorer
from inspect_ai.solver import generate

from prefillroute.outcomes.importers import inspect_logs
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given

Tables = tuple[Collector, pd.DataFrame, pd.DataFrame]
QUESTIONS = (("one", "What is 1+1?", "2"), ("two", "What is 1+2?", "3"), ("three", "What is 1+3?", "4"))
USAGE = ModelUsage(
    input_tokens=10,
    input_tokens_cache_read=4,
    input_tokens_cache_write=2,
    output_tokens=7,
    reasoning_tokens=5,
    total_tokens=23,
)


@pytest.fixture
def usage() -> ModelUsage:
    return USAGE.model_copy()


@pytest.fixture
def samples() -> Callable[[], list[Sample]]:
    def make() -> list[Sample]:
        return [Sample(id=name, input=text, target=target) for name, text, target in QUESTIONS]

    return make


@pytest.fixture
def model() -> Callable:
    """`model(name, answer)`: a mock model that says ``answer``, or what ``answer(question)`` returns."""

    def make(name: str = "a", answer: str | Callable = "2", usage: ModelUsage = USAGE, seconds: float = 0):
        def output(input, tools, tool_choice, config) -> ModelOutput:
            time.sleep(seconds)
            said = answer if isinstance(answer, str) else answer(input[-1].text)
            made = ModelOutput.from_content(f"mockllm/{name}", said)
            made.usage = usage.model_copy()
            return made

        return get_model(f"mockllm/{name}", custom_outputs=output, memoize=False)

    return make


@pytest.fixture
def right() -> Callable[[str], str]:
    """An answer for `model`: the right one."""
    return {text: target for _, text, target in QUESTIONS}.__getitem__


@pytest.fixture
def gives() -> Callable:
    """`gives(value)`: a scorer of the value given, or of that of the sample's metadata."""

    @scorer(metrics=[mean()])
    def gives(value: object = None):
        async def score(state, target) -> Score | None:
            found = state.metadata.get("score") if value is None else value
            return None if found is None else Score(value=found)

        return score

    return gives


@pytest.fixture
def missing_at_first() -> Callable:
    @scorer(metrics=[accuracy()])
    def missing_at_first():
        async def score(state, target) -> Score | None:
            return None if state.sample_id == "one" else Score(value="C")

        return score

    return missing_at_first


@pytest.fixture
def edited() -> Callable[..., Path]:
    """`edited(log, out, change)`: a copy of a log, changed."""

    def copy(log: Path, out: Path, change: Callable[[EvalLog], None]) -> Path:
        content = read_eval_log(log)
        change(content)
        write_eval_log(content, out)
        return out

    return copy


@pytest.fixture
def skipped() -> Callable[[Collector], dict[str, int]]:
    """`skipped(collector)`: reason to how often."""
    return lambda collector: {reason: entry.count for reason, entry in collector.skipped.items()}


@pytest.fixture(scope="module", autouse=True)
def _streams_are_dropped() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def evaluate(tmp_path, monkeypatch, samples) -> Iterator[Callable[..., Path]]:
    """`evaluate(model(), scorer=..., ...)` runs a task and returns the log file."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "inspect_data"))
    handlers, level = list(logging.root.handlers), logging.root.level

    def run(
        target,
        scorer=None,
        dataset: list | None = None,
        name: str = "inspect_evals/toy",
        solvers: list | None = None,
        epochs: int | Epochs = 1,
        logs: Path | None = None,
        **options,
    ) -> Path:
        task = Task(
            dataset=MemoryDataset(samples() if dataset is None else dataset),
            solver=solvers or [generate()],
            scorer=match() if scorer is None else scorer,
            name=name,
            epochs=epochs,
        )
        folder = logs or tmp_path / "logs"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Inspect's own, of its dependencies
            made = run_inspect(
                task, model=target, display="none", log_dir=str(folder), max_samples=1, **options
            )
        return Path(made[0].location) if made else next(folder.iterdir())  # none: stopped by Ctrl-C

    yield run
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def imported() -> Callable[..., Tables]:
    """`imported(path, **options)`: the collector and its two tables."""

    def read(*paths: Path, **options) -> Tables:
        collector = Collector()
        told = []
        given = Given.at(paths, inspect_logs.find)
        inspect_logs.read(given, collector, told.append, **options)
        assert min(told) >= 0
        assert sum(told) <= sum(file.stat().st_size for file in given.files)
        return collector, *collector.frames()

    return read
