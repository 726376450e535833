"""Models in parts on several devices, and quantised weights, as far as that runs without a GPU."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import (
    TransformersBackend,
    refuse_offloaded,
    refuse_unread_scales,
)
from prefillroute.extraction.request import ReadRequest

PROMPTS = ["Why?", "What is 2 + 2, and why is it not 5? " * 4, "x" * 33]
BLOCK = 16


def spread(model: torch.nn.Module, folder: Path, others: tuple[str, ...] = ()) -> type[TransformersBackend]:
    """A backend whose blocks 0 and 2 stay on the CPU, while accelerate fetches the others at each pass."""
    prefix = "language_model." if others else ""
    parts = [name for name, _ in model.named_children() if name != "layers"]
    places = {f"{prefix}{part}": "cpu" for part in parts} | dict.fromkeys(others, "cpu")
    places |= {f"{prefix}layers.{block}": "cpu" if block % 2 == 0 else "disk" for block in range(4)}

    class Spread(TransformersBackend):
        def _placement(self) -> dict[str, Any]:
            return {"device_map": places, "offload_folder": str(folder)}

    return Spread


@pytest.mark.parametrize(
    ("architecture", "others"),
    [("llama", ()), ("gpt_oss", ()), ("nemotron_h", ()), ("qwen3_5_moe", ("visual",))],
)
def test_a_model_in_parts_gives_the_same_numbers(toy_facts, tmp_path, architecture, others):
    """accelerate moves what goes from part to part; our hooks sit on the blocks that it has wrapped."""
    facts = toy_facts(architecture)
    whole = TransformersBackend(facts, ReadRequest(), device="cpu", share_prefix=False)
    parts = spread(whole.model, tmp_path, others)(facts, ReadRequest(), device="cpu", share_prefix=False)
    token_ids = [encoded.token_ids for encoded in whole.prompts(PROMPTS)]
    wanted, found = read_together(whole, token_ids), read_together(parts, token_ids)
    assert {parameter.device.type for parameter in parts.model.parameters()} == {"cpu", "meta"}
    for pooling, values in wanted.items():
        np.testing.assert_array_equal(found[pooling], values)


def test_blocks_that_no_gpu_holds_are_refused():
    places = {"embed_tokens": 0, "layers.0": torch.device("cuda", 0), "layers.1": 1, "norm": 1}
    refuse_offloaded("encoder x", places)
    with pytest.raises(UserError, match=r"encoder x: .* room for 4 of its 6 parts; .*prefillroute encoders"):
        refuse_offloaded("encoder x", {**places, "layers.2": "cpu", "layers.3": "disk"})


def quantised(source: Path, folder: Path, method: dict[str, Any] | None, suffix: str = "") -> Path:
    """A copy of a toy model with its blocks' matrices in FP8, block by block, as published checkpoints have them.

    Without a method, the matrices are the numbers that the FP8 ones stand for.
    """
    shutil.copytree(source, folder)
    tensors = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        if weight.ndim != 2 or ".layers." not in f".{name}":
            tensors[name] = weight.bfloat16()
            continue
        rows, columns = (-(-size // BLOCK) for size in weight.shape)
        padded = torch.zeros(rows * BLOCK, columns * BLOCK)
        padded[: weight.shape[0], : weight.shape[1]] = weight
        blocks = padded.reshape(rows, BLOCK, columns, BLOCK)
        scale = blocks.abs().amax(dim=(1, 3), keepdim=True) / torch.finfo(torch.float8_e4m3fn).max
        small = (blocks / scale).to(torch.float8_e4m3fn)
        if method is None:
            small = small.float() * scale
        else:
            tensors[f"{name}{suffix}"] = scale[:, 0, :, 0].contiguous()
        whole = small.reshape(padded.shape)
        tensors[name] = whole[: weight.shape[0], : weight.shape[1]].contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if method is not None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "quantization_config": method}))
    return folder


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_fp8_weights_are_dequantised_without_a_gpu(toy_facts, toy_folder, tmp_path, dtype):
    method = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [BLOCK, BLOCK]}
    folders = [
        quantised(toy_folder("llama"), tmp_path / "plain", None),
        quantised(toy_folder("llama"), tmp_path / "fp8", method, "_scale_inv"),
    ]
    plain, small = (
        TransformersBackend(toy_facts(repo=str(folder)), ReadRequest(dtype=dtype), device="cpu")
        for folder in folders
    )
    token_ids = [encoded.token_ids for encoded in plain.prompts(PROMPTS)]
    wanted, found = (read_together(backend, token_ids) for backend in (plain, small))
    for pooling, values in wanted.items():
        np.testing.assert_array_equal(found[pooling], values)
    assert small.identity.weights != plain.identity.weights


def test_scales_that_transformers_leaves_out_are_refused(toy_facts, toy_folder, tmp_path):
    """It warns, and loads the numbers without their scales: activations that look like activations."""
    method = {"quant_method": "modelopt", "quant_algo": "FP8"}
    folder = quantised(toy_folder("llama"), tmp_path / "modelopt", method, "_scale")
    backend = TransformersBackend(toy_facts(repo=str(folder)), ReadRequest(), device="cpu")
    message = r"found 28 scales of quantised weights .* such as layers\.0\..*_scale; use extraction=vllm"
    with pytest.raises(UserError, match=message):
        read_together(backend, [np.arange(5)])
    refuse_unread_scales("x", ["lm_head.weight", "layers.0.scaled.weight"])
    with pytest.raises(UserError, match=re.escape("a.weight_scale_inv")):
        refuse_unread_scales("x", ["a.weight_scale_inv"])
