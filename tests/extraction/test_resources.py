"""What encoders need: against plain counting, a real model, and the table in the documentation."""

import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from torch.utils.flop_counter import FlopCounterMode

from prefillroute.caches.reader import ActivationCache
from prefillroute.cli.encoders import markdown, read_encoders
from prefillroute.cli.main import main
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.resources import (
    GIB,
    GPUS,
    USABLE,
    cache_bytes_per_token,
    expected_seconds,
    gib_per_gpu,
    gpus_needed,
    needs,
    pooled_bytes,
    weight_bytes,
)
from prefillroute.extraction.run import extract
from prefillroute.extraction.wheels import file_in_wheel

ROOT = Path(__file__).resolve().parents[2]
ENCODERS = read_encoders([])


@pytest.mark.parametrize("facts", ENCODERS, ids=lambda facts: facts.name)
@pytest.mark.parametrize("gib", [24, 48, 80, 141])
def test_so_many_gpus_hold_an_encoder_and_half_as_many_do_not(facts: EncoderConfig, gib: float) -> None:
    gpus = gpus_needed(facts, gib)
    assert gpus is not None
    assert gib_per_gpu(facts, gpus) <= USABLE * gib
    assert gpus == 1 or gib_per_gpu(facts, gpus // 2) > USABLE * gib
    assert gpus * gib_per_gpu(facts, gpus) * GIB > weight_bytes(facts)
    dequantised = gpus_needed(facts, gib, dequantised=True)
    assert dequantised is not None
    assert dequantised >= gpus


def test_no_number_of_gpus_holds_a_block_that_is_larger_than_one() -> None:
    facts = EncoderConfig(name="x", params_b=1000.0, num_layers=2, hidden_size=64)
    assert gpus_needed(facts, 80) is None
    found = needs(facts, GPUS["h100"], 10)
    assert found.gpus is found.gib_per_gpu is None


@pytest.mark.parametrize("facts", ENCODERS, ids=lambda facts: facts.name)
def test_facts_of_size_agree_with_each_other(facts: EncoderConfig) -> None:
    active = facts.params_b if facts.active_b is None else facts.active_b
    assert 0 < active <= facts.params_b
    if facts.weights_gb is not None:  # between 4 bits and 16 per parameter
        assert 0.5 * facts.params_b < facts.weights_gb < 2 * facts.params_b
    assert facts.kv_numbers is not None
    assert facts.kv_numbers % 2 == 0
    assert facts.kv_numbers <= 2 * facts.num_layers * facts.hidden_size
    if facts.name.endswith("_fp8"):
        (plain,) = read_encoders([facts.name.removesuffix("_fp8")])
        assert weight_bytes(facts) < 0.6 * weight_bytes(plain)
        assert cache_bytes_per_token(facts) == cache_bytes_per_token(plain)
        assert facts.repo is not None
        assert facts.repo.endswith("-FP8")


def test_the_cache_on_disk_is_as_large_as_calculated(toy_facts, tmp_path: Path) -> None:
    prompts = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(200)]
    facts = toy_facts()
    request = ReadRequest(layers="upper", poolings=["last", "mean"])
    backend = TransformersBackend(facts, request, device="cpu")
    report = extract(backend, [f"q{i}" for i in range(200)], prompts, tmp_path)
    view = ActivationCache(report.path).select([f"q{i}" for i in range(200)])
    held = sum(view.read(layer, pooling).nbytes for layer in view.layer_ids for pooling in ("last", "mean"))
    assert held == pooled_bytes(facts, 200, request)
    shards = sum(file.stat().st_size for file in report.path.with_suffix(".shards").glob("*.h5"))
    assert held < shards < 1.5 * held  # rows as short as these: 64 numbers


@pytest.mark.parametrize("architecture", ["llama", "gemma3_text"])
def test_operations_are_twice_the_parameters_that_multiply(toy_facts, architecture: str) -> None:
    """Counted by torch in a real pass; attention between tokens and embeddings are left out."""
    backend = TransformersBackend(
        toy_facts(architecture), ReadRequest(layers=[4]), device="cpu", share_prefix=False
    )
    backend.load([4], ["last"])
    with FlopCounterMode(display=False) as counter:
        backend.forward([np.arange(8)])
    counts = counter.get_flop_counts()["Global"]
    found = sum(count for name, count in counts.items() if "attention" not in str(name))
    matrices = [
        parameter.numel()
        for name, parameter in backend.model.named_parameters()
        if parameter.ndim > 1 and "embed" not in name
    ]
    gpu = GPUS["h100"]
    seconds = expected_seconds(EncoderConfig(params_b=sum(matrices) / 1e9), 1, gpu, 8, utilisation=1.0)
    assert seconds * gpu.tflops * 1e12 == pytest.approx(found)


@pytest.mark.smollm2
def test_facts_of_size_are_those_of_a_real_file() -> None:
    (facts,) = read_encoders(["smollm2_135m"])
    assert facts.wheel is not None
    reader = GGUFReader(file_in_wheel(facts.wheel, facts.gguf_file, "encoder"))
    said = {key: field.contents() for key, field in reader.fields.items()}
    width = said["llama.embedding_length"] // said["llama.attention.head_count"]
    assert facts.kv_numbers == 2 * said["llama.block_count"] * said["llama.attention.head_count_kv"] * width
    weights = sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert weights == pytest.approx(facts.params_b * 1e9, rel=0.01)


def test_the_command_prints_what_was_calculated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encoders", "qwen35_122b", "--gpu", "h200", "--json", "--queries", "500"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["gpus"] == 2
    assert found["cache_gb"] == pytest.approx(500 * 25 * 2 * 3072 * 4 / 1e9)
    assert found["pass_minutes"] == 2 * found["pass_minutes_together"]
    assert main(["encoders"]) == 0
    printed = capsys.readouterr().out
    assert all(facts.name in printed for facts in ENCODERS)
    assert "calculated, not measured" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gpu", "abacus"], "--gpu: expected one of l40s, a100, h100, h200, b200, found abacus"),
        (["--queries", "0"], "--queries: expected 1 or more, found 0"),
        (["--utilisation", "2"], "--utilisation: expected more than 0 and at most 1, found 2.0"),
        (["none_such"], "encoder: expected an option among gemma3_270m"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["encoders", *arguments]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


def test_weights_in_an_unknown_format_are_refused() -> None:
    with pytest.raises(UserError, match=r"encoder\.weights: expected one of bf16, fp8, mxfp4, found int3"):
        EncoderConfig(weights="int3")


def test_the_page_shows_the_table_of_this_command() -> None:
    page = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
    lines = markdown([needs(facts, GPUS["h100"], 10_000) for facts in ENCODERS])
    assert "\n".join(lines) in page, (
        "put the output of `prefillroute encoders --markdown` into docs/encoders.md"
    )
