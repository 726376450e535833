"""The caches that a run reads: the encoder's activations, sentence vectors, perplexities."""

from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.caches.reader import ActivationCache, CacheView
from prefillroute.config.facts import (
    PROMPT_FORMATS,
    EmbedderConfig,
    EncoderConfig,
    LanguageModelConfig,
    PoolConfig,
)
from prefillroute.errors import UserError
from prefillroute.outcomes.table import Outcomes
from prefillroute.semantic.language_model import COLUMNS


def activations_path(caches: Path, encoder: EncoderConfig) -> Path:
    """The cache that a run reads: the one of the encoder's prompt format, else an existing one, `chat` first."""
    if encoder.prompt_format is not None:
        return cache_path(caches, encoder.name, encoder.prompt_format)
    chat, plain = (cache_path(caches, encoder.name, prompt_format) for prompt_format in PROMPT_FORMATS)
    return plain if plain.exists() and not chat.exists() else chat


def open_activations(
    caches: Path,
    encoder: EncoderConfig,
    pool: PoolConfig,
    outcomes: Outcomes,
) -> tuple[CacheView, CacheIdentity]:
    """The cached activations of all queries of the table, in its order.

    Args:
        caches: folder of all caches.
        encoder: the encoder whose activations to read.
        pool: the pool of the table, for messages.
        outcomes: the table.

    Raises:
        UserError: there is no cache, or it lacks queries (the message names the command to run first), or it was made
            with other facts (the message names both values).
    """
    path = activations_path(caches, encoder)
    queries = outcomes.queries
    try:
        cache = ActivationCache(path)
        cache.identity.check_facts(
            path,
            name=encoder.name,
            num_layers=encoder.num_layers,
            hidden_size=encoder.hidden_size,
            chat_template_kwargs=encoder.chat_template_kwargs,
            repo=encoder.repo,
            revision=encoder.revision,
        )
        view = cache.select(queries["query_id"].tolist(), queries["prompt"].tolist())
    except UserError as error:
        raise _for_pool(error, pool) from error
    return view, cache.identity


def open_embedding(
    caches: Path,
    embedder: EmbedderConfig,
    pool: PoolConfig,
    outcomes: Outcomes,
) -> np.ndarray:
    """Sentence vectors (Q, d) float32 of all queries of the table.

    Raises:
        UserError: as for `open_activations`.
    """
    facts = {"hidden_size": embedder.dimension, "num_layers": 0}
    return _one_vector(caches, "embedder", embedder, facts, "embedding", pool, outcomes)


def open_language_model(
    caches: Path,
    language_model: LanguageModelConfig,
    pool: PoolConfig,
    outcomes: Outcomes,
) -> np.ndarray:
    """(Q, 5) float32: `semantic.language_model.COLUMNS` of all queries of the table.

    Raises:
        UserError: as for `open_activations`.
    """
    facts = {"hidden_size": len(COLUMNS), "num_layers": 0}
    return _one_vector(caches, "language_model", language_model, facts, "perplexity", pool, outcomes)


def _one_vector(
    caches: Path,
    group: str,
    model: EmbedderConfig | LanguageModelConfig,
    sizes: dict[str, int],
    pooling: str,
    pool: PoolConfig,
    outcomes: Outcomes,
) -> np.ndarray:
    name = f"{group}.{model.name}"
    path = cache_path(caches, name, "plain")
    queries = outcomes.queries
    try:
        cache = ActivationCache(path)
        cache.identity.check_facts(
            path, name=name, chat_template_kwargs={}, repo=model.repo, revision=model.revision, **sizes
        )
        view = cache.select(queries["query_id"].tolist(), queries["prompt"].tolist())
    except UserError as error:
        raise _for_pool(error, pool) from error
    return view.read(0, pooling)


def _for_pool(error: UserError, pool: PoolConfig) -> UserError:
    """Add the pool to the command in the message: the cache knows its encoder, but only the run knows the pool."""
    return UserError(str(error).replace("pool=<pool>", f"pool={pool.name}"))


def query_tokens(view: CacheView | None) -> np.ndarray | None:
    """(Q,) tokens of the bare queries, for the cost model; None without an encoder."""
    return None if view is None else np.asarray(view.query_tokens)
