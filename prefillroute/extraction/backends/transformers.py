"""The transformers backend of encoders: hooks on the selected blocks, pooled inside the forward pass."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, PreTrainedModel

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.capture import ResidualCapture, find_blocks
from prefillroute.extraction.backends.in_process import InProcessBackend, pad_right
from prefillroute.extraction.backends.prefix import FULL_ATTENTION, SharedPrefix
from prefillroute.extraction.causality import require_causal
from prefillroute.extraction.encoder import EncoderInput
from prefillroute.extraction.prompts import PromptEncoder
from prefillroute.extraction.request import ReadRequest
from prefillroute.pooling.choice import known_poolings
from prefillroute.pretrained.loading import pretrained


class TransformersBackend(InProcessBackend):
    """An encoder's residual streams by Hugging Face transformers: base model without LM head, pooled on the device.

    Rows are padded on the right, whatever the tokenizer would do, and no attention mask is passed. Encoders are causal,
    whether they use attention, convolution or recurrence (others are refused, see `extraction.causality`), so no real
    token ever sees the padding after it. Batches therefore give the same results as single queries, and the fast causal
    attention kernel stays in use.

    Args:
        facts: which model.
        request: what to read of it.
        device: `auto`, `cpu`, `cuda`, `cuda:<n>` or `balanced`, see `InProcessBackend`.
        tokens_per_batch: padded tokens in a batch; None: 1,024 on a CPU, 32,768 on a GPU.
        share_prefix: run the template's constant beginning only once; None: on a CPU, for models where that is exact to
            rounding.

    Raises:
        UserError: files are not available, or the model does not match the facts.
    """

    def __init__(
        self,
        facts: EncoderConfig,
        request: ReadRequest,
        *,
        device: str = "auto",
        tokens_per_batch: int | None = None,
        share_prefix: bool | None = None,
    ) -> None:
        super().__init__(f"encoder {facts.name}", device, tokens_per_batch, node="extraction")
        self.facts, self.request, self._share_prefix = facts, request, share_prefix
        self.layer_ids = request.layer_ids(facts.num_layers, facts.params_b)
        self.poolings = tuple(request.poolings)
        self._input = EncoderInput(facts, request, self.what)
        self.prompts: PromptEncoder = self._input.prompts
        self._model: PreTrainedModel | None = None
        self._capture: ResidualCapture | None = None
        self._captured: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
        self._prefix: SharedPrefix | None = None

    @classmethod
    def from_identity(
        cls,
        facts: EncoderConfig,
        identity: CacheIdentity,
        layers: Sequence[int],
        poolings: Sequence[str],
        device: str = "auto",
    ) -> "TransformersBackend":
        """The backend that gives again the numbers that a cache holds.

        Args:
            facts: which model.
            identity: the cache's. That the model's files are the same is for the caller to check.
            layers: layer ids to read.
            poolings: names of poolings to read.
            device: as in the constructor.
        """
        facts = replace(facts, prompt_format=identity.prompt_format)
        request = ReadRequest.as_in(identity, layers=sorted(set(layers)), poolings=sorted(set(poolings)))
        return cls(facts, request, device=device)

    @property
    def identity(self) -> CacheIdentity:
        """The identity that caches of this encoder's activations are checked against."""
        return self._input.identity(self.device, "transformers")

    @property
    def model(self) -> PreTrainedModel:
        """The base model, without the LM head; loaded on first use."""
        if self._model is None:
            self._model = self._load_model()
        return self._model

    @torch.inference_mode()
    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Load the weights and capture these layers and poolings from now on."""
        wanted = (tuple(layer_ids), tuple(poolings))
        if self._capture is not None:
            if self._captured == wanted:
                return
            self._capture.remove()
        blocks = find_blocks(self.model, self.facts.num_layers)
        self._capture = ResidualCapture(
            blocks, wanted[0], {name: known_poolings()[name]() for name in wanted[1]}
        )
        self._captured = wanted
        self._prefix = self._shared_prefix()

    @torch.inference_mode()
    def forward(self, token_ids: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prefill a batch; see `InProcessBackend.forward`."""
        assert self._capture is not None, "load comes first"
        ids, mask = pad_right(token_ids)
        device = self.model.device
        prefix = self._prefix if self._prefix is not None and self._prefix.begins(token_ids) else None
        self._capture.start(mask.to(device), prefix.hidden if prefix else None)
        if prefix:
            cache, rest = prefix.cache(len(ids)), ids[:, len(prefix) :]
            self.model(input_ids=rest.to(device), past_key_values=cache, use_cache=True)
        else:
            self.model(input_ids=ids.to(device), use_cache=False)
        return {name: pooled.cpu().numpy() for name, pooled in self._capture.finish().items()}

    def _shared_prefix(self) -> SharedPrefix | None:
        wanted, ids = self._share_prefix, self.prompts.prefix_ids
        exact = self.model.config.model_type in FULL_ATTENTION
        if not len(ids) or not exact or not (self.model.device.type == "cpu" if wanted is None else wanted):
            return None
        return SharedPrefix(self.model, ids, self._captured[0])

    def _load_model(self) -> PreTrainedModel:
        source, facts = self._input.source, self.facts
        placement = self._placement()
        loaded, info = pretrained(
            AutoModel,
            self.what,
            source.location,
            revision=source.revision,
            gguf_file=source.gguf_file,
            dtype=getattr(torch, self.request.compute_dtype(self.device)),
            output_loading_info=True,
            **placement,
        )
        if info["missing_keys"]:  # transformers fills them with random numbers and warns
            raise UserError(
                f"{self.what}: {source.location} lacks {len(info['missing_keys'])} weights of the model, "
                f"such as {min(info['missing_keys'])}"
            )
        refuse_unread_scales(self.what, info["unexpected_keys"])
        if self.device == "balanced":
            refuse_offloaded(self.what, loaded.hf_device_map)
        # Of a model with vision, only the text part runs.
        model: PreTrainedModel = getattr(loaded, "language_model", loaded)
        require_causal(model, self.what)
        config = model.config
        for key, found in (("num_layers", config.num_hidden_layers), ("hidden_size", config.hidden_size)):
            if found != getattr(facts, key):
                raise UserError(
                    f"encoder.{key}: expected {found} as in the weights of {facts.name}, found {getattr(facts, key)}"
                )
        if self.device == "cpu" and self.request.compute_dtype(self.device) == "float32":
            for parameter in model.parameters():
                # What was dequantised has this dtype; the rest of a quantised model has stayed bfloat16.
                parameter.data = parameter.data.float()
        return model.eval() if placement else model.eval().to(self.device)

    def _placement(self) -> dict[str, Any]:
        """Arguments of `from_pretrained` that spread the blocks; without any, the whole model goes to one device."""
        return {"device_map": "balanced"} if self.device == "balanced" else {}


def refuse_unread_scales(what: str, unread: Iterable[str]) -> None:
    """Refuse quantised weights whose format transformers does not know: it would take them for the plain numbers.

    Args:
        what: name of the model in messages.
        unread: names of the tensors in the files that no part of the model took.

    Raises:
        UserError: scales of weights are among them.
    """
    scales = sorted(name for name in unread if name.rpartition(".")[2].endswith(("scale", "scale_inv")))
    if scales:
        raise UserError(
            f"{what}: expected weights in a format that transformers reads, found {len(scales)} scales of quantised "
            f"weights that it leaves out, such as {scales[0]}; use extraction=vllm, or the encoder in bfloat16"
        )


def refuse_offloaded(what: str, places: Mapping[str, int | str | torch.device]) -> None:
    """Refuse blocks in main memory or on disk, from where every batch would copy them to a GPU.

    Args:
        what: name of the model in messages.
        places: part of the model -> device, as accelerate has placed them.

    Raises:
        UserError: a part is on no GPU.
    """
    offloaded = [part for part, place in places.items() if str(place) in ("cpu", "disk")]
    if offloaded:
        raise UserError(
            f"{what}: expected GPUs that hold the whole model, found room for {len(places) - len(offloaded)} of its "
            f"{len(places)} parts; take as many GPUs as `prefillroute encoders` says"
        )
