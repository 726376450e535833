"""Any backend fills a cache: one that completes rows out of order, and those that answer wrongly are refused."""

import itertools
from contextlib import closing

import h5py
import numpy as np
import pytest

from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Batch, read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.live import read_texts
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]
IDS = [f"q{i}" for i in range(12)]


class OutOfOrder(TransformersBackend):
    """Takes up to three batches at a time, as a server does, and answers row by row in a random order."""

    batches_taken = 0

    def read(self, work, layer_ids, poolings):
        remaining, rng = iter(work), np.random.default_rng(0)
        while taken := list(itertools.islice(remaining, 3)):
            self.batches_taken = max(self.batches_taken, len(taken))
            answers = []
            for rows, pooled in super().read(taken, layer_ids, poolings):
                for position, row in enumerate(rows):
                    one = {name: values[[position]] for name, values in pooled.items()}
                    answers.append((np.asarray([row]), one))
            for number in rng.permutation(len(answers)):
                yield answers[number]


@pytest.fixture
def make(toy_facts):
    def backend(kind=TransformersBackend, **request):
        return kind(toy_facts("llama"), ReadRequest(**request), device="cpu", tokens_per_batch=200)

    return backend


def datasets(path):
    found = {}
    for file in sorted(path.rglob("*.h5")):
        with h5py.File(file) as opened:
            opened.visititems(
                lambda name, item, file=file: (
                    found.update({f"{file.name}:{name}": item[()]})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
    return found


def test_the_order_of_completion_changes_nothing(make, tmp_path):
    extract(make(), IDS, PROMPTS, tmp_path / "in_order")
    backend = make(OutOfOrder)
    assert extract(backend, IDS, PROMPTS, tmp_path / "out_of_order").new_rows == 12
    assert backend.batches_taken == 3
    wanted, found = datasets(tmp_path / "in_order"), datasets(tmp_path / "out_of_order")
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], value) for name, value in wanted.items())


def test_what_was_completed_before_a_failure_is_kept(make, tmp_path, monkeypatch):
    class Failing(OutOfOrder):
        def read(self, work, layer_ids, poolings):
            for number, answer in enumerate(super().read(work, layer_ids, poolings)):
                if number == 5:  # the check of the model reads fewer rows at a time
                    raise UserError("the server has gone")
                yield answer

    with pytest.raises(UserError, match="the server has gone"):
        extract(make(Failing), IDS, PROMPTS, tmp_path)
    report = extract(make(), IDS, PROMPTS, tmp_path)
    assert report.reused_rows > 5  # the first batch, and five rows of later ones
    assert report.new_rows == 12 - report.reused_rows
    view = ActivationCache(report.path).select(IDS, PROMPTS)
    wanted = read_texts(make(), PROMPTS).vectors
    for (layer, pooling), values in wanted.items():
        np.testing.assert_allclose(view.read(layer, pooling), values, rtol=1e-4, atol=1e-5)


def wrong(change):
    """A backend whose answers are changed by `change(number, rows, pooled)`, which gives the answers instead."""

    class Wrong(TransformersBackend):
        def read(self, work, layer_ids, poolings):
            for number, (rows, pooled) in enumerate(super().read(work, layer_ids, poolings)):
                yield from change(number, rows, dict(pooled))

    return Wrong


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda n, rows, pooled: [(rows, pooled)] * 2,
            r"expected each requested row once, found row \d+ again",
        ),
        (lambda n, rows, pooled: [(rows + 1000, pooled)], r"found row 1\d\d\d again or unrequested"),
        (
            lambda n, rows, pooled: [(rows[:-1], {name: values[:-1] for name, values in pooled.items()})],
            r"expected vectors of all \d+ requested rows, found none of \d+ of them, such as row \d+",
        ),
        (
            lambda n, rows, pooled: [(rows, {name: values[:, :-1] for name, values in pooled.items()})],
            r"expected vectors of shape \(\d+, 5, 32\) .*with pooling last, found \(\d+, 4, 32\)",
        ),
        (
            lambda n, rows, pooled: [(rows, {name: values[1:] for name, values in pooled.items()})],
            r"expected vectors of shape \(\d+, 5, 32\) .*with pooling last, found \(\d+, 5, 32\)",
        ),
        (
            lambda n, rows, pooled: [(rows, {"last": pooled["last"]})],
            r"expected the poolings \['last', 'mean'\], found no mean",
        ),
        (
            lambda n, rows, pooled: [(rows, {name: values * np.inf for name, values in pooled.items()})],
            r"query q\d+, layer 0, pooling last: activation: expected finite values, found",
        ),
    ],
    ids=["twice", "unasked", "lost", "layers", "count", "pooling", "infinite"],
)
def test_a_backend_that_answers_something_else_is_refused(make, tmp_path, change, message):
    backend = make(wrong(change))
    with pytest.raises(UserError, match=message):
        extract(backend, IDS, PROMPTS, tmp_path)
    shards = [file for name, file in datasets(tmp_path).items() if name.endswith(":done") and "part" in name]
    assert not any(done.any() for done in shards)


def test_closing_gives_up_what_is_under_way(make):
    backend = make()
    taken = []

    def work():
        for row, encoded in enumerate(backend.prompts(PROMPTS)):
            taken.append(row)
            yield Batch(np.asarray([row]), [encoded.token_ids])

    with closing(backend.read(work(), backend.layer_ids, backend.poolings)) as answers:
        next(answers)
    assert taken == [0]


def test_two_readers_of_other_layers_do_not_mix(make):
    backend = make()
    ids = [encoded.token_ids for encoded in backend.prompts(PROMPTS)]
    every = [read_together(backend, [tokens]) for tokens in ids[:3]]
    batches = [Batch(np.asarray([row]), [tokens]) for row, tokens in enumerate(ids[:3])]
    some = backend.read(batches, [1, 4], ["mean"])
    others = backend.read(batches, [0], ["last"])
    for wanted, (_, mean), (_, last) in zip(every, some, others, strict=True):
        np.testing.assert_array_equal(mean["mean"], wanted["mean"][:, [1, 4]])
        np.testing.assert_array_equal(last["last"], wanted["last"][:, [0]])


@pytest.mark.parametrize("prompt_format", ["chat", "plain"])
def test_the_backend_of_a_cache_reads_text_as_the_cache_was_made(toy_facts, tmp_path, prompt_format):
    facts = toy_facts("llama", prompt_format=prompt_format)
    request = ReadRequest(max_length=70, dtype="bfloat16", poolings=["mean", "last"])
    prompts = [*PROMPTS, "x" * 300]
    cache = ActivationCache(
        extract(TransformersBackend(facts, request, device="cpu"), [*IDS, "long"], prompts, tmp_path).path
    )
    again = TransformersBackend.from_identity(toy_facts("llama"), cache.identity, [3, 1], ["mean"], "cpu")
    assert again.identity == cache.identity
    view = cache.select([*IDS, "long"], prompts)
    found = read_texts(again, prompts)
    assert set(found.vectors) == {(1, "mean"), (3, "mean")}
    for (layer, pooling), values in found.vectors.items():
        cached = view.read(layer, pooling)
        relative = np.linalg.norm(values - cached, axis=1) / np.linalg.norm(cached, axis=1)
        assert relative.max() < 0.05  # bfloat16, in batches of other sizes
    np.testing.assert_array_equal(found.query_tokens, view.query_tokens)
    np.testing.assert_array_equal(found.truncated, view.truncated)
    assert found.truncated.tolist() == [False] * 12 + [True] or prompt_format == "chat"
    assert found.fed_tokens.max() == 70
    assert read_texts(again, []).vectors[1, "mean"].shape == (0, 32)


class Lazy(TransformersBackend):
    """Stops before it has taken the last batch."""

    def read(self, work, layer_ids, poolings):
        yield from super().read(itertools.islice(work, 1), layer_ids, poolings)


def test_batches_that_are_not_taken_are_noticed(make, tmp_path):
    with pytest.raises(UserError, match=r"expected vectors of all rows, found an end after \d+ rows"):
        extract(make(Lazy), IDS, PROMPTS, tmp_path)
