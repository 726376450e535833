"""The parent's side, against a process that speaks the protocol rightly, and in every way wrongly."""

import glob
import re
import tempfile
import time

import numpy as np
import psutil
import pytest

from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Batch, read_together
from prefillroute.extraction.run import extract
from prefillroute.extraction.vllm.process import PREFIX
from tests.extraction.vllm.stand_in import vectors_of

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]
IDS = [f"q{i}" for i in range(12)]

ANSWERS = {
    "other prompt's length": r"tokens=\d+ for a prompt of \d+ tokens, found tokens=\d+",
    "truncated": r"rows=(\d+) for a prompt of \d+ tokens, found rows=\d+",
    "layers in another order": r"layer_ids=\[0, 1, 2, 3, 4\] .* found layer_ids=\[4, 3, 2, 1, 0\]",
    "a layer twice": r"layer_ids=\[0, 1, 2, 3, 4\] .* found layer_ids=\[0, 1, 2, 3, 0\]",
    "a column too few": r"columns=5 .* found columns=4",
    "another width": r"hidden_size=32 .* found hidden_size=31",
    "a pooling missing": r"poolings=\['last', 'mean'\] .* found poolings=\['last'\]",
    "tokens without a state": r"finite hidden states that are not zero, found nothing but zeros in 3 of \d+ tokens at "
    "layer 2",
    "tokens that are no numbers": r"finite hidden states that are not zero, found NaN or infinity in 2 of \d+ tokens "
    "at layer 1",
    "counts that are none": "5 counts of tokens with NaN or infinity, found many",
    "an unasked prompt": "one answer for each prompt, found 1000 again or unasked",
    "an id that is no name": r"one answer for each prompt, found \[1\] again or unasked",
    "an answer twice": r"one answer for each prompt, found \d+ again or unasked",
    "other tokens": r"token (\d+) at position 1 of the prompt, as sent, found \d+",
    "NaN": "finite vectors, found NaN or infinity at layer 3",
    "infinity": "finite vectors, found NaN or infinity at layer 1",
    "a zero row": "vectors that are not zero, found zeros at layer 2",
    "a layer repeated": "another vector at each layer, found those of layers 2 and 3 equal",
    "bytes too few": r"(\d+) bytes for a prompt of \d+ tokens, found \d+",
}
FAILURES = {
    "dies while loading": "expected the weights to be loaded, found: RuntimeError: no room for the weights",
    "hangs while loading": r"expected the weights to be loaded, found: it said nothing for 1 s "
    r"\(extraction\.load_timeout_s\)",
    "fails with a reason": "expected the weights to be loaded, found: AssertionError: CPU GDN attention requires BF16; "
    "set request.dtype=bfloat16",
    "is killed": r"expected the vectors of \d+ prompts, found: it was killed by SIGKILL, perhaps for lack of memory",
    "ends": r"expected the vectors of \d+ prompts, found: it ended with status 0",
    "hangs": r"expected the vectors of \d+ prompts, found: it said nothing for 1 s \(extraction\.answer_timeout_s\)",
    "closes its pipes": r"expected the vectors of \d+ prompts, found: it closed its pipes",
    "writes nonsense": r"expected the vectors of \d+ prompts, found: bytes that are no frame \(b'INFO 11-27 loadi'\)",
    "an answer too few": r"expected the vectors of \d+ prompts, found: it said nothing for 1 s "
    r"\(extraction\.answer_timeout_s\)",
}
READING = [fault for fault, words in FAILURES.items() if "the vectors of" in words]
LOADING = {
    "another depth": r"encoder\.num_layers: expected 5 as in the weights of toy_llama, found 4",
    "another dtype": r"encoder toy_llama: expected dtype=float32 in vLLM, found float16",
    "ready is another word": r"vLLM's answer: expected ready, found loaded; .* its log is .*vllm\.log",
}
WORDS = (
    {name: rf"vLLM's answer: expected {text}; .*its log is .*vllm\.log$" for name, text in ANSWERS.items()}
    | {name: rf"its vLLM process failed: {text}; its log is .*vllm\.log$" for name, text in FAILURES.items()}
    | LOADING
)


def timeouts(fault):
    """Only what is silent has to be waited for."""
    return {
        "load_timeout_s": 1.0 if fault == "hangs while loading" else 60.0,
        "answer_timeout_s": 1.0 if fault in ("hangs", "an answer too few") else 60.0,
    }


def leftovers():
    """Processes that this one started, and their temporary folders."""
    return psutil.Process().children(recursive=True), glob.glob(f"{tempfile.gettempdir()}/{PREFIX}*")


@pytest.mark.parametrize("fault", WORDS)
def test_a_bad_process_is_one_line_and_costs_no_row_that_was_stored(fault, make, tmp_path):
    before = leftovers()
    backend = make(fault, **timeouts(fault))
    with pytest.raises(UserError, match=WORDS[fault]) as caught:
        extract(backend, IDS, PROMPTS, tmp_path / "caches")
    assert "\n" not in str(caught.value)
    assert leftovers() == before
    backend.close()
    assert (tmp_path / "vllm.log").is_file(), "a log that a message names is kept"

    report = extract(make(), IDS, PROMPTS, tmp_path / "caches")
    assert report.new_rows + report.reused_rows == 12
    # The first batch is stored when the fault comes.
    assert (report.reused_rows > 0) is (fault in ANSWERS or fault in READING)
    undisturbed = extract(make(), IDS, PROMPTS, tmp_path / "whole")
    for pooling in ("last", "mean"):
        found, wanted = (
            ActivationCache(each.path).select(IDS).read(3, pooling) for each in (report, undisturbed)
        )
        assert np.array_equal(found, wanted)


def test_vectors_arrive_at_the_rows_that_they_belong_to(make):
    with_all = make()
    ids = [encoded.token_ids for encoded in with_all.prompts(PROMPTS)]
    found = read_together(with_all, ids, layer_ids=(1, 3), poolings=("mean",))
    with_all.close()
    assert found.keys() == {"mean"}
    wanted = np.stack([vectors_of(each, [1, 3], ["mean"], 32)[0] for each in ids])
    assert np.array_equal(found["mean"], wanted)


def test_what_a_closed_reader_left_does_not_reach_the_next(make):
    backend = make()
    ids = [encoded.token_ids for encoded in backend.prompts(PROMPTS)]
    work = [Batch(np.asarray([row]), [ids[row]]) for row in range(12)]
    reader = backend.read(work, backend.layer_ids, backend.poolings)
    rows, _ = next(reader)
    assert rows.tolist() == [0]
    reader.close()
    # Prompts that were given up, and leave no room for the next reader's until their answers have come.
    for row in range(12):
        backend._given_up.update(backend._send([np.resize(ids[row], 300)]))
    found = read_together(backend, ids[::-1])["last"]
    wanted = np.stack([vectors_of(each, [0, 1, 2, 3, 4], ["last"], 32)[0] for each in ids[::-1]])
    assert np.array_equal(found, wanted)
    backend.close()


def test_the_process_is_started_again_after_an_error(make):
    backend = make("NaN")
    ids = [encoded.token_ids for encoded in backend.prompts([*PROMPTS, "one more"])]
    for _ in range(2):
        with pytest.raises(UserError, match="NaN"):
            read_together(backend, ids)
    assert read_together(backend, ids[:2])["last"].shape == (2, 5, 32)
    backend.close()


def test_a_log_that_nobody_asked_for_goes_unless_the_process_failed(make, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    logs = tmp_path / "prefillroute/vllm/logs"
    good = make(log=None)
    read_together(good, [np.arange(3, 9)])
    assert len(list(logs.iterdir())) == 1
    good.close()
    assert not list(logs.iterdir())
    with pytest.raises(UserError, match=re.escape(str(logs))):
        read_together(make("dies while loading", log=None), [np.arange(3, 9)])
    assert "no room for the weights" in next(logs.iterdir()).read_text()


def test_the_process_ends_with_its_backend(make):
    before = psutil.Process().children()
    backend = make()
    read_together(backend, [np.arange(3, 9)])
    (child,) = set(psutil.Process().children()) - set(before)
    del backend
    deadline = time.monotonic() + 10
    while child.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.is_running()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"tokens_per_batch": 300},
            r"extraction\.tokens_per_batch: expected 301 or more, found 300; or set request",
        ),
        ({"tensor_parallel_size": 0}, r"extraction\.tensor_parallel_size: expected 1 or more, found 0$"),
        ({"memory_share": 1.0}, r"extraction\.memory_share: expected a number between 0 and 1, found 1\.0"),
    ],
)
def test_options_out_of_range(make, options, message):
    with pytest.raises(UserError, match=message):
        make(**options)


def test_layers_that_there_are_not_are_refused_before_vllm_repeats_another(make):
    """vLLM gives layer 2 again for a layer 99, without a word."""
    backend = make()
    for layers in ((2, 99), (-1, 2)):
        with pytest.raises(UserError, match=r"expected layer ids from 0 to 4, found \["):
            backend.load(layers, ("last",))


def test_the_identity_names_the_backend_and_the_quantisation(make):
    plain, fp8 = make().identity, make(quantization="fp8").identity
    assert (plain.backend, plain.compute_dtype) == ("vllm", "float32")
    assert fp8.weights == f"{plain.weights} quantization=fp8"
