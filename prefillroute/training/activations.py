"""The encoder's activations of the queries that a run reads."""

from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path
from prefillroute.caches.reader import ActivationCache, CacheView
from prefillroute.config.facts import EncoderConfig, PoolConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.table import Outcomes


def open_activations(
    caches: Path, encoder: EncoderConfig, pool: PoolConfig, outcomes: Outcomes
) -> tuple[CacheView, CacheIdentity]:
    """The cached activations of all queries of the table, in its order.

    Raises:
        UserError: no cache, or one that lacks queries (both name the command to run first), or a cache made
            from other facts (both values are named).
    """
    path = cache_path(caches, encoder.name)
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
        # The cache knows its encoder; which pool to extract, only the run knows.
        raise UserError(str(error).replace("pool=<pool>", f"pool={pool.name}")) from error
    return view, cache.identity


def query_tokens(view: CacheView | None) -> np.ndarray | None:
    """(Q,) tokens of the bare queries, for the cost model; None without an encoder."""
    return None if view is None else np.asarray(view.query_tokens)
