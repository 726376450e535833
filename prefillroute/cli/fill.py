"""What `extract`, `embed` and `perplexity` do alike: bring a pool's queries into the cache of one model."""

from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig

from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import PathsConfig, PoolConfig
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.progress import extraction_progress
from prefillroute.extraction.run import Encoder, extract
from prefillroute.outcomes.pool import load_pool
from prefillroute.text.printing import say


def fill_cache(config: DictConfig, model: Callable[[ExtractionOptions], Encoder]) -> int:
    """Read what the cache lacks and print what was done.

    Args:
        config: with `pool`, `paths` and `extraction`.
        model: what reads the queries, given the options.

    Returns:
        Exit status 0.
    """
    pool = fact(config.pool, PoolConfig)
    _, outcomes = load_pool(
        pool.targets, pool.outcomes, pool.exclude, pool.correct_threshold, pool.max_queries, pool.import_hint
    )
    options = build(config.extraction)
    reader = model(options)
    caches = Path(fact(config.paths, PathsConfig).caches)
    queries = outcomes.queries
    with extraction_progress() as progress:
        report = extract(
            reader, queries["query_id"].tolist(), queries["prompt"].tolist(), caches, options, progress
        )
    say(*report.lines())
    return 0
