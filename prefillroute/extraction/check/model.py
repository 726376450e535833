"""What a model's files say about it: its configuration, and the model built from that without memory or weights."""

import json
import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import gguf
import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME

from prefillroute.errors import UserError
from prefillroute.extraction.check.files import ModelFiles
from prefillroute.extraction.resources import BYTES_PER_PARAMETER
from prefillroute.pretrained.gguf_once import gguf_once
from prefillroute.pretrained.loading import pretrained

ATTENTION = ("full_attention", "sliding_attention", "chunked_attention", "hybrid", "hybrid_sliding")
"""Kinds of block, in transformers' words, that keep keys and values of a token; in `hybrid` ones beside a state."""
NO_ATTENTION = ("linear_attention", "conv", "moe", "mlp")
"""Kinds of block that keep a state of fixed size, or nothing."""
GGUF_OUTPUT = "output.weight"
"""A GGUF file may hold the output layer even where it is the embeddings once more."""
QUANTISATION_FILE = "hf_quant_config.json"
"""Where NVIDIA's ModelOpt says how it quantised, if config.json does not."""


@dataclass(frozen=True)
class ModelOnPaper:
    """A model without its weights.

    Args:
        files: where its files are.
        config: configuration of the whole model; a plain one if the installed transformers does not know the model.
        body: the part that reads text, as extraction runs it, on PyTorch's meta device; None if transformers does not
            know the model.
        class_name: class that transformers builds; None if it knows none.
    """

    files: ModelFiles
    config: PretrainedConfig
    body: PreTrainedModel | None
    class_name: str | None

    @property
    def text(self) -> Any:
        """Configuration of the text part."""
        return self.config.get_text_config() if self.body is None else self.body.config

    @property
    def source(self) -> str:
        """Where the configuration comes from."""
        return "GGUF header" if self.files.gguf_file else "config.json"

    def number(self, name: str) -> int | None:
        """A whole number of the text part's configuration; None if it has none of that name."""
        found = getattr(self.text, name, None)
        return found if isinstance(found, int) else None


def read_model(files: ModelFiles, what: str) -> ModelOnPaper:
    """Read a model's configuration and build the model without weights.

    Args:
        files: where its files are.
        what: name of the model in messages.

    Raises:
        UserError: the configuration is damaged.
    """
    if files.gguf_file is None:
        raw = _json(files, "config.json", what)
        if raw.get("model_type") not in transformers.CONFIG_MAPPING:
            text = raw.get("text_config", raw)
            return ModelOnPaper(files, PretrainedConfig.from_dict(text | _of_the_whole(raw)), None, None)
    config = pretrained(AutoConfig, what, str(files.folder), gguf_file=files.gguf_file)
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = AutoModel.from_config(deepcopy(config))  # it takes the dtype out of what it is given
    except Exception as error:  # a model's constructor may raise anything for sizes that do not fit
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{what}: expected a configuration that transformers {transformers.__version__} can build, found one that "
            f"it cannot ({reason})"
        ) from error
    # Of a model with vision, only the text part runs.
    return ModelOnPaper(files, config, getattr(model, "language_model", model), type(model).__name__)


def kv_numbers(model: ModelOnPaper) -> int | None:
    """Numbers that a key-value cache keeps of a token: 2 x attention blocks x their heads x the heads' width.

    Returns:
        None where the configuration does not say it in the usual words, for instance where blocks share keys.
    """
    text = model.text
    blocks = model.number("num_hidden_layers")
    heads = model.number("num_key_value_heads") or model.number("num_attention_heads")
    width = model.number("head_dim")
    if width is None and model.number("hidden_size") and model.number("num_attention_heads"):
        width = text.hidden_size // text.num_attention_heads
    unusual = any(getattr(text, name, None) for name in ("kv_lora_rank", "num_kv_shared_layers"))
    kinds = getattr(text, "layer_types", None) or ["full_attention"] * (blocks or 0)
    if heads is None or width is None or unusual or not set(kinds) <= {*ATTENTION, *NO_ATTENTION}:
        return None
    return 2 * sum(kind in ATTENTION for kind in kinds) * heads * width


def parameters(model: ModelOnPaper, weights: str) -> tuple[list[int], str]:
    """Parameters of the text part, and how they were counted.

    Args:
        model: the model.
        weights: how most weights are stored, a key of `BYTES_PER_PARAMETER`; used where only their size is known.

    Returns:
        Numbers without and with the output layer, which are equal if it is tied to the embeddings; none if unknown.
    """
    if model.files.gguf_file is not None:
        with gguf_once():
            table = gguf.GGUFReader(model.files.folder / model.files.gguf_file).tensors
        sizes = {tensor.name: int(tensor.n_elements) for tensor in table}
        total = sum(sizes.values())
        return [total - sizes.get(GGUF_OUTPUT, 0), total], "GGUF tensor table"
    if model.body is not None:
        count = _numel(model.body)
        return [count, count + _output_layer(model)], "built without weights"
    size = stored_bytes(model)
    in_float32 = weights == "bf16" and "float32" in str(model.config.dtype)
    bytes_each = 4.0 if in_float32 else BYTES_PER_PARAMETER[weights]
    return ([] if size is None else [round(size / bytes_each)]), "size of the weights"


def active_parameters(model: ModelOnPaper) -> int | None:
    """Parameters that a token passes through, with embeddings and output layer; None for a model without experts."""
    experts = model.number("num_experts") or model.number("num_local_experts")
    chosen = model.number("num_experts_per_tok")
    if model.body is None or not experts or not chosen:
        return None
    routed = sum(
        parameter.numel() for name, parameter in model.body.named_parameters() if ".experts." in name
    )
    if not routed:
        return None
    return _numel(model.body) + _output_layer(model) - routed + round(routed * chosen / experts)


def weights_kind(model: ModelOnPaper) -> tuple[str, str]:
    """How the repository stores most weights, as in `encoder.weights`, and what says so.

    Kinds that the facts have no word for come under the name that the repository gives them.
    """
    if model.files.gguf_file is not None:
        return "bf16", "GGUF, dequantised"
    said = getattr(model.config, "quantization_config", None)
    source = "config.json"
    if not said:
        path = model.files.folder / QUANTISATION_FILE
        said = (
            _json(model.files, QUANTISATION_FILE, "encoder").get("quantization") if path.is_file() else None
        )
        source = QUANTISATION_FILE
    if not said:
        dtype = model.config.get_text_config().dtype or "no dtype"
        return "bf16", f"config.json, {str(dtype).removeprefix('torch.')}"
    said = said if isinstance(said, dict) else said.to_dict()
    method, kind = said.get("quant_method", "modelopt"), said.get("quant_algo")
    return str(kind or method).lower(), f"{source}, {method}"


def stored_bytes(model: ModelOnPaper) -> int | None:
    """Bytes of the weights as the repository stores them; None if nothing at hand says it."""
    folder = model.files.folder
    if (folder / SAFE_WEIGHTS_INDEX_NAME).is_file():
        size = _json(model.files, SAFE_WEIGHTS_INDEX_NAME, "encoder").get("metadata", {}).get("total_size")
        return None if size is None else int(size)
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) or None


def _numel(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _output_layer(model: ModelOnPaper) -> int:
    """Parameters of the output layer that extraction leaves out, where it is not the embeddings once more."""
    tied = model.config.tie_word_embeddings or model.text.tie_word_embeddings
    return 0 if tied else int(model.text.vocab_size * model.text.hidden_size)


def _of_the_whole(raw: dict[str, Any]) -> dict[str, Any]:
    """What the configuration of a text part leaves to that of the whole."""
    return {
        key: raw[key] for key in ("model_type", "quantization_config", "dtype", "torch_dtype") if key in raw
    }


def _json(files: ModelFiles, name: str, what: str) -> dict[str, Any]:
    path = files.folder / name
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: expected {what}'s {name} in JSON, found {_reason(error)}; fetch it again"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: expected {what}'s {name} with keys and values, found {type(found).__name__}"
        )
    return found


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
