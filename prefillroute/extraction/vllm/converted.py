"""Weights in the form that vLLM reads: those of a GGUF file are dequantised once, into a folder with safetensors."""

import json
import os
import re
import secrets
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_NAME

from prefillroute.errors import UserError
from prefillroute.extraction.weights import WeightSource
from prefillroute.home import cache_folder
from prefillroute.pretrained.loading import pretrained

RECORD = "converted.json"
"""File of a converted folder that says what it was made of; it is written last."""


def readable_by_vllm(source: WeightSource, what: str) -> tuple[str, str | None]:
    """Where vLLM finds a model: the folder or repository itself, or the folder of its dequantised GGUF file.

    The dequantised weights are the float32 numbers that transformers computes with, so both are the same model, and the
    caches' identity names the GGUF file.

    Args:
        source: the model's files.
        what: name of the model in messages.

    Returns:
        Folder or repository, and its commit.

    Raises:
        UserError: the file cannot be read, or the user's cache folder cannot be written.
    """
    if source.gguf_file is None:
        place = Path(source.location)
        return (str(place.absolute()) if place.is_dir() else source.location), source.revision
    name, _, digest = re.sub(r"[^\w.=-]+", "-", source.fingerprint).rpartition("=")
    folder = cache_folder() / "vllm" / f"{name}-{digest[:16]}"
    if not _is_of(folder, source):
        try:
            _convert(source, folder, what)
        except OSError as error:
            raise UserError(
                f"{what}: {folder}: cannot write the weights for vLLM ({error.strerror or error}); set XDG_CACHE_HOME "
                "to a folder with enough space that can be written"
            ) from error
    return str(folder), None


def _is_of(folder: Path, source: WeightSource) -> bool:
    try:
        return json.loads((folder / RECORD).read_text())["from"] == source.fingerprint
    except (OSError, ValueError, KeyError):
        return False


def _convert(source: WeightSource, folder: Path, what: str) -> None:
    """Dequantise into a folder beside, which then takes the name; of two jobs that do so, one is the first."""
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    partial.mkdir(parents=True)
    try:
        model = pretrained(
            AutoModelForCausalLM,
            what,
            source.location,
            revision=source.revision,
            gguf_file=source.gguf_file,
            dtype=torch.float32,
        )
        # `save_pretrained` refuses a model that came out of a GGUF file.
        config = model.config.to_dict()
        config.pop("quantization_config", None)
        (partial / CONFIG_NAME).write_text(
            json.dumps(config | {"architectures": [type(model).__name__]}, indent=1)
        )
        save_file(without_second_names(model), partial / SAFE_WEIGHTS_NAME, metadata={"format": "pt"})
        record = {
            "from": source.fingerprint,
            "by": f"transformers {transformers.__version__}",
            "dtype": "float32",
        }
        (partial / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        if folder.exists() and not _is_of(folder, source):  # a damaged one
            shutil.rmtree(folder)
        try:
            os.rename(partial, folder)
        except OSError:
            if not _is_of(folder, source):
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def without_second_names(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The weights without second names: of an output that is tied to the embeddings, vLLM wants the embeddings' name.

    It leaves embeddings that it does not find at zero, without a word.
    """
    weights: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict().items():  # the embeddings come first
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            weights[name] = tensor.contiguous()
    return weights
