"""With real vLLM: `make vllm-env`, then `make test-vllm`."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3NextConfig

from prefillroute.caches.reader import ActivationCache
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.backends.vllm import VllmBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.router.parity import check_parity
from tests.extraction.conftest import toy_tokenizer
from tests.extraction.test_run import datasets
from tests.extraction.vllm.vllm_extraction import IDS, PROMPTS

pytestmark = pytest.mark.vllm

FP32 = 1e-4
"""Largest distance of a vector from transformers' in float32, as a share of its length. Measured: 4e-6."""
COMMANDS = Path(sys.executable).parent
SMALL = {
    "vocab_size": 256, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 64, "bos_token_id": None, "eos_token_id": None,
}  # fmt: skip


def saved(config, folder: Path) -> str:
    """A causal model with random weights, larger than usual so that blocks make a difference."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and "conv" not in name:
            torch.nn.init.normal_(parameter, std=0.06)
    model.save_pretrained(folder)
    toy_tokenizer().save_pretrained(folder)
    return str(folder)


def toy(repo: str) -> EncoderConfig:
    return EncoderConfig(
        name="toy", repo=repo, num_layers=4, hidden_size=256, context_length=512, params_b=0.1
    )


@pytest.fixture(scope="module")
def llama(tmp_path_factory) -> str:
    return saved(LlamaConfig(**SMALL, intermediate_size=512), tmp_path_factory.mktemp("models") / "llama")


def smollm2() -> EncoderConfig:
    return fact(compose_run(["encoder=smollm2_135m"], config_name="extract").encoder, EncoderConfig)


def distance(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Of each vector, as a share of its length."""
    return np.linalg.norm(found - wanted, axis=-1) / np.maximum(np.linalg.norm(wanted, axis=-1), 1e-12)


def test_the_same_cache_as_transformers_in_float32(vllm_python, tmp_path):
    """All 31 layers of SmolLM2, the last one before the final norm too."""
    backend = VllmBackend(
        smollm2(), ReadRequest(max_length=512, dtype="float32"), python=vllm_python, tokens_per_batch=600
    )
    other = TransformersBackend(smollm2(), ReadRequest(max_length=512, dtype="float32"), device="cpu")
    by_vllm, by_transformers = (
        extract(each, IDS, PROMPTS, tmp_path / each.identity.backend) for each in (backend, other)
    )
    backend.close()
    ours, theirs = (ActivationCache(report.path) for report in (by_vllm, by_transformers))
    assert (ours.identity.backend, theirs.identity.backend) == ("vllm", "transformers")
    worst = max(
        distance(*(cache.select(IDS).read(layer, pooling) for cache in (ours, theirs))).max()
        for layer in range(31)
        for pooling in ("last", "mean")
    )
    print(f"worst distance of {31 * 2 * len(IDS)} vectors: {worst:.1e}")
    assert worst < FP32
    with pytest.raises(
        UserError, match=r"expected backend=transformers as configured, found .* backend=vllm"
    ):
        extract(other, IDS, PROMPTS, tmp_path / "vllm")


def test_a_hybrid_in_bfloat16_is_as_near_to_float32_as_transformers_is(vllm_python, tmp_path):
    """Qwen3-Next: gated delta net, attention and experts. vLLM's CPU build computes it in bfloat16 only."""
    config = Qwen3NextConfig(
        **SMALL, intermediate_size=256, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=128,
        shared_expert_intermediate_size=128, linear_key_head_dim=64, linear_value_head_dim=64, linear_num_key_heads=2,
        linear_num_value_heads=4, layer_types=["linear_attention"] * 3 + ["full_attention"],
    )  # fmt: skip
    repo = saved(config, tmp_path / "hybrid")
    request = ReadRequest(max_length=300, dtype="bfloat16")
    backend = VllmBackend(toy(repo), request, python=vllm_python, tokens_per_batch=600)
    ids = [encoded.token_ids for encoded in backend.prompts(PROMPTS)]
    found = read_together(backend, ids)
    backend.close()
    bfloat16 = read_together(TransformersBackend(toy(repo), request, device="cpu"), ids)
    exact = read_together(
        TransformersBackend(toy(repo), ReadRequest(max_length=300, dtype="float32"), device="cpu"), ids
    )
    for pooling in ("last", "mean"):
        ours, theirs = distance(found[pooling], exact[pooling]), distance(bfloat16[pooling], exact[pooling])
        for layer in range(5):
            print(
                f"{pooling} {layer}: median {np.median(ours[:, layer]):.4f} against {np.median(theirs[:, layer]):.4f}, "
                f"worst {ours[:, layer].max():.4f} against {theirs[:, layer].max():.4f}"
            )
        # A token near the border between two experts may go to the other one, in either backend.
        assert (np.median(ours, axis=0) < 0.15).all()
        assert (np.median(ours, axis=0) < 1.2 * np.median(theirs, axis=0) + 0.005).all()

    fp32 = VllmBackend(toy(repo), ReadRequest(max_length=300, dtype="float32"), python=vllm_python)
    with pytest.raises(UserError, match=r"BF16; set request\.dtype=bfloat16; its log is") as caught:
        read_together(fp32, ids[:2])
    assert "\n" not in str(caught.value)


def run_extraction(python: str, model: str, caches: Path, kill_at: int = 0) -> int:
    script = str(Path(__file__).parent / "vllm_extraction.py")
    command = [sys.executable, script, python, model, str(caches), str(kill_at)]
    return subprocess.run(command, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode


def test_killed_in_mid_run_then_resumed(vllm_python, llama, tmp_path):
    """SIGKILL at a random write, the same command again: every dataset as in an undisturbed run, to the bit."""
    assert run_extraction(vllm_python, llama, tmp_path / "whole") == 0
    calls = int((tmp_path / "whole" / "report").read_text().split()[2])
    seed = int.from_bytes(os.urandom(2))
    kill_at = random.Random(seed).randrange(calls // 4, calls - 5)
    assert run_extraction(vllm_python, llama, tmp_path / "killed", kill_at) == -9
    worker = int((tmp_path / "killed" / "worker").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(worker), "the vLLM process ends when its parent is killed"
    assert run_extraction(vllm_python, llama, tmp_path / "killed") == 0
    new, reused, _ = map(int, (tmp_path / "killed" / "report").read_text().split())
    assert (new + reused, reused > 0) == (40, True), f"seed {seed}: what was done before the kill is kept"
    wanted, found = datasets(tmp_path / "whole"), datasets(tmp_path / "killed")
    assert found.keys() == wanted.keys()
    different = [name for name, value in wanted.items() if not np.array_equal(found[name], value)]
    print(
        f"killed at write {kill_at} of {calls}: {reused} rows kept, {new} read again, {different} different"
    )
    assert not different, f"seed {seed}"


def test_a_prompt_that_is_too_long_is_one_line(vllm_python, llama):
    backend = VllmBackend(toy(llama), ReadRequest(max_length=50), python=vllm_python)
    with pytest.raises(
        UserError, match=r"expected the vectors of 2 prompts, found: \w+Error: .*51.*log"
    ) as caught:
        read_together(backend, [np.arange(3, 40), np.arange(3, 60)])
    print(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bundle_of_vllm_activations_is_served_by_transformers(vllm_python, tmp_path):
    """The shipped pool through the command line; the golden prompts are run again from their texts."""
    common = [
        "encoder=smollm2_135m",
        "pool=starter",
        "pool.max_queries=400",
        f"paths.caches={tmp_path}/caches",
    ]
    environment = os.environ | {"PREFILLROUTE_VLLM_PYTHON": vllm_python, "OMP_NUM_THREADS": "2"}
    run = [str(COMMANDS / "prefillroute")]
    for command in (
        [*run, "extract", *common, "extraction=vllm", "request.layers=[22,23,30]"],
        [
            *run,
            "train",
            *common,
            "trainer=quick",
            "layers=fixed",
            f"hydra.run.dir={tmp_path}/run",
            "report=false",
        ],
    ):
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=Path(__file__).parents[3],
        )
        assert done.returncode == 0, done.stdout + done.stderr
    parity = check_parity(tmp_path / "run", num_texts=32, device="cpu")
    print("\n".join(parity.lines()))
    assert parity.passed
