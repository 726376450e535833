"""Extraction as a whole: nothing twice, nothing lost, everything said."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.report import ExtractionReport
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.extraction.share import WorkShare

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]
IDS = [f"q{i}" for i in range(12)]


class Counting(TransformersBackend):
    """Counts the different rows it runs; the check of the model runs some of them twice."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seen = set()

    def forward(self, token_ids):
        self.seen |= {ids.tobytes() for ids in token_ids}
        return super().forward(token_ids)


@pytest.fixture
def run(toy_facts, tmp_path):
    def start(
        ids=IDS, prompts=PROMPTS, facts=None, share=None, tokens_per_batch=200, **request
    ) -> tuple[ExtractionReport, int]:
        encoder = Counting(
            toy_facts("llama", **(facts or {})),
            ReadRequest(**request),
            device="cpu",
            tokens_per_batch=tokens_per_batch,
        )
        return extract(encoder, ids, prompts, tmp_path / "caches", share), len(encoder.seen)

    return start


@pytest.fixture
def truth(toy_facts):
    encoder = TransformersBackend(toy_facts("llama"), ReadRequest(), device="cpu")

    def one_by_one(prompts=PROMPTS):
        pooled = [read_together(encoder, [encoded.token_ids]) for encoded in encoder.prompts(prompts)]
        return {name: np.concatenate([p[name] for p in pooled]) for name in ("last", "mean")}

    return one_by_one


def close(found, wanted):
    return np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_what_is_cached_is_what_the_encoder_gives(run, truth):
    report, rows = run()
    assert (report.queries, report.new_rows, report.reused_rows, rows) == (12, 12, 0, 12)
    assert report.tokens == 12 * len("[2025-01-01]<s><user></><assistant>") + sum(
        len(p.strip()) for p in PROMPTS
    )
    assert 0 < report.padding < 0.3
    view = ActivationCache(report.path).select(IDS, PROMPTS)
    wanted = truth()
    for layer in range(5):
        for pooling in ("last", "mean"):
            assert close(view.read(layer, pooling), wanted[pooling][:, layer])
    assert view.query_tokens.tolist() == [len(prompt) for prompt in PROMPTS]


def test_nothing_is_computed_twice(run):
    run()
    report, rows = run()
    assert (report.new_rows, report.reused_rows, rows) == (0, 12, 0)
    # Another pool: one new text, one known text under a new id.
    report, rows = run(["a", "b"], ["A new one.", PROMPTS[3]])
    assert (report.new_rows, report.reused_rows, rows) == (1, 1, 1)
    cache = ActivationCache(report.path)
    assert cache.select([*IDS, "a", "b"]).read(2, "mean").shape == (14, 32)
    assert np.array_equal(cache.select(["b"]).read(2, "mean"), cache.select(["q3"]).read(2, "mean"))


def test_layers_and_poolings_are_added(run, truth):
    report, _ = run(layers=[2, 4], poolings=["mean"])
    assert ActivationCache(report.path).select(IDS).layer_ids == (2, 4)
    files = {file: file.read_bytes() for file in report.path.with_suffix(".shards").glob("*.h5")}
    report, rows = run(layers="all")
    assert (report.new_rows, rows) == (12, 12)
    assert all(file.read_bytes() == content for file, content in files.items())
    view, wanted = ActivationCache(report.path).select(IDS), truth()
    assert view.layer_ids == (0, 1, 2, 3, 4)
    assert all(close(view.read(k, p), wanted[p][:, k]) for k in range(5) for p in ("last", "mean"))


def test_array_jobs_share_the_work(run, truth):
    """Each with batches of its own size, as on different machines."""
    prompts = [f"{prompt}{'long ' * 40}" for prompt in PROMPTS]
    counts = []
    for job, tokens in ((2, 500), (0, 1000), (1, 2000)):
        report, rows = run(prompts=prompts, share=WorkShare(num=3, index=job), tokens_per_batch=tokens)
        counts.append(rows)
    assert sum(counts) == 12
    assert min(counts) > 0
    assert len(list(report.path.with_suffix(".shards").glob("*.h5"))) == 3
    cached = ActivationCache(report.path).select(IDS).read(3, "last")
    assert close(cached, truth(prompts)["last"][:, 3])
    assert run(prompts=prompts)[1] == 0  # all jobs' rows count as done for everyone


def test_truncation_is_counted_and_reported(run):
    same_ends = ["a" * 40 + middle * 60 + "b" * 40 for middle in "xyz"]
    report, rows = run(["s0", "s1", "s2", "short"], [*same_ends, "short"], max_length=80)
    assert (report.truncated, report.sharing, report.new_rows, rows) == (3, 3, 2, 2)
    text = "\n".join(report.lines())
    assert "3 queries were longer than the limit and lost their middle" in text
    assert "3 different texts share a row because of that" in text
    with h5py.File(report.path) as file:
        assert file.attrs["num_truncated"] == 3
        assert file.attrs["max_length"] == 80
    assert ActivationCache(report.path).select(["s0", "short"]).truncated.tolist() == [True, False]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({}, {"max_length": 100}, "expected max_length=100 .* made with max_length=512"),
        (
            {},
            {"storage_dtype": "float16"},
            "expected storage_dtype=float16 .* made with storage_dtype=float32",
        ),
        (
            {},
            {"facts": {"chat_template_kwargs": {"think": True}}},
            r"expected chat_template_kwargs=\{\"think\": true\} .* made with chat_template_kwargs=\{\}",
        ),
    ],
)
def test_a_cache_of_other_settings_is_refused(run, first, second, message):
    report, _ = run(**first)
    before = report.path.read_bytes()
    with pytest.raises(UserError, match=rf"toy_llama-chat\.h5: {message}"):
        run(**second)
    assert report.path.read_bytes() == before


def test_a_bad_activation_stops_with_what_was_done_kept(run, monkeypatch):
    original, calls = Counting.forward, []

    def third_is_bad(self, token_ids):
        """The third of the job's batches; the check of the model runs three of its own after the first."""
        pooled = original(self, token_ids)
        calls.append(len(token_ids))
        if len(calls) == 6:
            pooled["mean"][0, 1, 2] = np.nan
        return pooled

    monkeypatch.setattr(Counting, "forward", third_is_bad)
    with pytest.raises(UserError, match=r"query q\d+, layer 1, pooling mean: activation: .*found NaN"):
        run()
    report, _ = run()
    assert report.reused_rows == calls[0] + calls[4]
    assert report.new_rows == 12 - report.reused_rows


def test_a_damaged_index_is_made_anew_and_a_damaged_row_mended(run, truth):
    report, _ = run()
    report.path.write_bytes(report.path.read_bytes()[:700])
    assert run()[1] == 0
    (shard,) = report.path.with_suffix(".shards").glob("*.h5")
    raw = bytearray(shard.read_bytes())
    with h5py.File(shard) as file:
        at = file["activations/mean"].id.get_chunk_info_by_coord((0, 2, 0)).byte_offset
    raw[at + 4 * 32 * 4 + 9] ^= 0x40
    shard.write_bytes(raw)
    with pytest.raises(UserError, match="row 4 of layer 2, pooling mean is damaged"):
        ActivationCache(report.path).select(IDS).read(2, "mean")
    report, rows = run(share=WorkShare(verify=True))
    assert (report.damaged, rows) == (1, 1)
    assert close(ActivationCache(report.path).select(IDS).read(2, "mean"), truth()["mean"][:, 2])


def datasets(caches: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for path in sorted(caches.rglob("*.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item, path=path: (
                    found.update({f"{path.name}:{name}": item[()]})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
    return found


def test_killed_in_mid_run_then_resumed(toy_folder, tmp_path):
    """Real processes, SIGKILL, the same command again: every dataset as in an undisturbed run."""
    script = str(Path(__file__).parent / "toy_extraction.py")
    seed = int.from_bytes(os.urandom(2))
    command = [sys.executable, script, str(toy_folder("llama")), str(tmp_path), str(seed)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    new, reused, _ = map(int, (tmp_path / "killed" / "report").read_text().split())
    assert (new + reused, reused > 0) == (12, True), f"seed {seed}: what was done before the kill is kept"
    wanted, found = datasets(tmp_path / "whole"), datasets(tmp_path / "killed")
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], value) for name, value in wanted.items()), f"seed {seed}"
