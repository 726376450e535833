"""The encoder: takes token ids and returns pooled residual streams."""

from collections.abc import Sequence

import numpy as np
import torch
import transformers
from transformers import AutoModel, AutoTokenizer, PreTrainedModel

from prefillroute.caches.identity import CacheIdentity, kwargs_json
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.capture import ResidualCapture, find_blocks
from prefillroute.extraction.causality import require_causal
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.prefix import FULL_ATTENTION, SharedPrefix
from prefillroute.extraction.prompts import PromptEncoder, choose_format
from prefillroute.extraction.weights import locate_weights
from prefillroute.pooling.choice import known_poolings
from prefillroute.pretrained.loading import pretrained


class PrefillEncoder:
    """The transformers backend: base model without LM head, hooks on the selected blocks, pooling on the device.

    The tokenizer is loaded at once and the weights on first use, so a run that finds everything cached loads none.

    Args:
        facts: which model.
        options: what to read from it.

    Raises:
        UserError: files are not available, or the model does not match the facts.
    """

    def __init__(self, facts: EncoderConfig, options: ExtractionOptions) -> None:
        self.facts, self.options = facts, options
        self.layer_ids = options.resolved_layers(facts.num_layers, facts.params_b)
        self.poolings = tuple(options.poolings)
        self._source = locate_weights(facts)
        source = self._source
        tokenizer = pretrained(
            AutoTokenizer,
            f"encoder {facts.name}",
            source.location,
            revision=source.revision,
            gguf_file=source.gguf_file,
        )
        self._prompt_format = choose_format(tokenizer, facts.prompt_format, options.prompt_format, facts.name)
        self.prompts = PromptEncoder(
            tokenizer,
            prompt_format=self._prompt_format,
            chat_template_kwargs=facts.chat_template_kwargs,
            max_length=min(options.max_length, facts.context_length),
            encoder=facts.name,
        )
        self._model: PreTrainedModel | None = None
        self._capture: ResidualCapture | None = None
        self._prefix: SharedPrefix | None = None

    @property
    def identity(self) -> CacheIdentity:
        """The identity that caches of this encoder's activations are checked against."""
        return CacheIdentity(
            encoder=self.facts.name,
            weights=self._source.fingerprint,
            num_layers=self.facts.num_layers,
            hidden_size=self.facts.hidden_size,
            compute_dtype=self.options.resolved_dtype(),
            storage_dtype=self.options.storage_dtype,
            prompt_format=self._prompt_format,
            chat_template=self.prompts.template_digest,
            chat_template_kwargs=kwargs_json(self.facts.chat_template_kwargs),
            max_length=self.prompts.max_length,
        )

    @property
    def versions(self) -> str:
        """Versions of the libraries that computed the activations; recorded, not compared."""
        return f"torch {torch.__version__}, transformers {transformers.__version__}"

    @property
    def model(self) -> PreTrainedModel:
        """The base model, without the LM head; loaded on first use."""
        if self._model is None:
            self._model = self._load()
        return self._model

    @property
    def device(self) -> torch.device:
        """The device that token ids are sent to."""
        return next(self.model.parameters()).device

    @torch.inference_mode()
    def narrow(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Capture only these layers and poolings from now on (a cache may lack only some of them)."""
        if self._capture is not None:
            self._capture.remove()
        self.layer_ids, self.poolings = tuple(layer_ids), tuple(poolings)
        blocks = find_blocks(self.model, self.facts.num_layers)
        self._capture = ResidualCapture(
            blocks, self.layer_ids, {name: known_poolings()[name]() for name in self.poolings}
        )
        self._prefix = self._shared_prefix()

    @torch.inference_mode()
    def activations(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prefill a batch.

        Rows are padded on the right, whatever the tokenizer would do, and no attention mask is passed. Encoders are
        causal, whether they use attention, convolution or recurrence (others are refused, see `extraction.causality`),
        so no real token ever sees the padding after it. Batches therefore give the same results as single queries, and
        the fast causal attention kernel stays in use.

        Args:
            batch: B arrays of token ids.

        Returns:
            pooling -> (B, layers, hidden) float32.
        """
        if self._capture is None:
            self.narrow(self.layer_ids, self.poolings)
        assert self._capture is not None
        ids, mask = pad_right(batch)
        prefix = self._prefix if self._prefix is not None and self._prefix.begins(batch) else None
        self._capture.start(mask.to(self.device), prefix.hidden if prefix else None)
        try:
            if prefix:
                cache, rest = prefix.cache(len(ids)), ids[:, len(prefix) :]
                self.model(input_ids=rest.to(self.device), past_key_values=cache, use_cache=True)
            else:
                self.model(input_ids=ids.to(self.device), use_cache=False)
        except torch.OutOfMemoryError as error:
            raise UserError(
                f"encoder {self.facts.name}: not enough memory on {self.device} for a batch of {ids.numel()} tokens; "
                f"set extraction.tokens_per_batch below {self.options.resolved_tokens_per_batch()}"
            ) from error
        return {name: pooled.cpu().numpy() for name, pooled in self._capture.finish().items()}

    def _shared_prefix(self) -> SharedPrefix | None:
        wanted, ids = self.options.share_prefix, self.prompts.prefix_ids
        exact = self.model.config.model_type in FULL_ATTENTION
        if not len(ids) or not exact or not (self.device.type == "cpu" if wanted is None else wanted):
            return None
        return SharedPrefix(self.model, ids, self.layer_ids)

    def _load(self) -> PreTrainedModel:
        source, options, facts = self._source, self.options, self.facts
        device = options.resolved_device()
        placement = {"device_map": "balanced"} if device == "balanced" else {}
        loaded, info = pretrained(
            AutoModel,
            f"encoder {facts.name}",
            source.location,
            revision=source.revision,
            gguf_file=source.gguf_file,
            dtype=getattr(torch, options.resolved_dtype()),
            output_loading_info=True,
            **placement,
        )
        if info["missing_keys"]:  # transformers fills them with random numbers and warns
            raise UserError(
                f"encoder {facts.name}: {source.location} lacks {len(info['missing_keys'])} weights of the model, "
                f"such as {min(info['missing_keys'])}"
            )
        # Of a model with vision, only the text part runs.
        model: PreTrainedModel = getattr(loaded, "language_model", loaded)
        require_causal(model, f"encoder {facts.name}")
        config = model.config
        for key, found in (("num_layers", config.num_hidden_layers), ("hidden_size", config.hidden_size)):
            if found != getattr(facts, key):
                raise UserError(
                    f"encoder.{key}: expected {found} as in the weights of {facts.name}, found {getattr(facts, key)}"
                )
        return model.eval() if placement else model.eval().to(device)


def pad_right(batch: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (B, T) int64 and mask (B, T) bool; padding repeats token 0, which no real token sees."""
    length = max(len(ids) for ids in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask = torch.zeros(len(batch), length, dtype=torch.bool)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = torch.from_numpy(np.asarray(tokens, dtype=np.int64))
        mask[row, : len(tokens)] = True
    return ids, mask
