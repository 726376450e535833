"""What a run reads: the pool's outcomes, and the encoder's activations of the same queries."""

from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import cache_path, extract_command
from prefillroute.caches.reader import ActivationCache, CacheView
from prefillroute.config.facts import EncoderConfig, PoolConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.table import Outcomes


def load_pool(pool: PoolConfig) -> tuple[Outcomes, list[TargetConfig]]:
    """The outcome table of a pool's targets, less the excluded ones.

    Raises:
        UserError: an excluded name that is no target, no target left, or what `read_outcomes` refuses.
    """
    names = [target.name for target in pool.targets]
    unknown = [name for name in pool.exclude if name not in names]
    if unknown:
        raise UserError(f"pool.exclude: no target '{unknown[0]}'; the pool has {', '.join(names)}")
    targets = [target for target in pool.targets if target.name not in pool.exclude]
    if not targets:
        raise UserError(f"pool.exclude: leaves no target of {pool.name}")
    outcomes = read_outcomes(
        Path(pool.outcomes),
        [target.name for target in targets],
        pool.correct_threshold,
        pool.max_queries,
        pool.import_hint,
    )
    return outcomes, targets


def open_activations(
    caches: Path, encoder: EncoderConfig, pool: PoolConfig, outcomes: Outcomes
) -> tuple[CacheView, CacheIdentity]:
    """The cached activations of all queries of the table, in its order.

    Raises:
        UserError: no cache, or one that lacks queries (both name the command to run first), or a cache of an
            encoder of another shape (both values are named).
    """
    path = cache_path(caches, encoder.name)
    if not path.exists():
        raise UserError(f"{path}: no activation cache; run first: {extract_command(encoder.name, pool.name)}")
    cache = ActivationCache(path)
    for key, found, wanted in (
        ("num_layers", cache.num_layers, encoder.num_layers),
        ("hidden_size", cache.hidden_size, encoder.hidden_size),
    ):
        if found != wanted:
            raise UserError(f"{path}: {key} is {found}, but encoder {encoder.name} has {wanted}")
    queries = outcomes.queries
    view = cache.select(queries["query_id"].tolist(), queries["prompt"].tolist())
    return view, cache.identity


def query_tokens(view: CacheView | None) -> np.ndarray | None:
    """(Q,) tokens of the bare queries, for the cost model; None without an encoder."""
    return None if view is None else np.asarray(view.query_tokens)
