"""What every backend of an encoder has in common: where its files are, the prompts, and the identity of its caches."""

from transformers import AutoTokenizer

from prefillroute.caches.identity import CacheIdentity, kwargs_json
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.prompts import PromptEncoder, choose_format
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.weights import locate_weights
from prefillroute.pretrained.loading import pretrained


class EncoderInput:
    """Finds an encoder's files, and loads its tokenizer.

    Args:
        facts: which model.
        request: what to read of it.
        what: name of the model in messages.

    Raises:
        UserError: files are not available, or the tokenizer does not do.
    """

    def __init__(self, facts: EncoderConfig, request: ReadRequest, what: str) -> None:
        self.facts, self.request = facts, request
        self.source = locate_weights(facts)
        tokenizer = pretrained(
            AutoTokenizer,
            what,
            self.source.location,
            revision=self.source.revision,
            gguf_file=self.source.gguf_file,
        )
        self._prompt_format = choose_format(tokenizer, facts.prompt_format, facts.name)
        self.prompts = PromptEncoder(
            tokenizer,
            prompt_format=self._prompt_format,
            chat_template_kwargs=facts.chat_template_kwargs,
            max_length=min(request.max_length, facts.context_length),
            encoder=facts.name,
        )

    def identity(self, device: str, backend: str, weights: str | None = None) -> CacheIdentity:
        """The identity that caches of this encoder's activations are checked against.

        Args:
            device: where it runs, as `ReadRequest.compute_dtype` takes it.
            backend: what computes.
            weights: what the weights are, if not those of the files as they are.
        """
        facts = self.facts
        return CacheIdentity(
            encoder=facts.name,
            weights=weights or self.source.fingerprint,
            num_layers=facts.num_layers,
            hidden_size=facts.hidden_size,
            compute_dtype=self.request.compute_dtype(device),
            storage_dtype=self.request.storage_dtype,
            prompt_format=self._prompt_format,
            chat_template=self.prompts.template_digest,
            chat_template_kwargs=kwargs_json(facts.chat_template_kwargs),
            max_length=self.prompts.max_length,
            backend=backend,
        )
