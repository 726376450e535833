"""What `extract`, `embed` and `perplexity` do alike: bring a pool's queries into the cache of one model."""

from collections.abc import Callable, Sequence
from pathlib import Path

from omegaconf import DictConfig

from prefillroute.caches.commands import GROUPS, with_own_facts
from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import PathsConfig, PoolConfig
from prefillroute.errors import UserError
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.progress import extraction_progress
from prefillroute.extraction.run import Encoder, extract
from prefillroute.outcomes.pool import load_pool
from prefillroute.text.printing import say


def fill_cache(
    config: DictConfig, model: Callable[[ExtractionOptions], Encoder], overrides: Sequence[str]
) -> int:
    """Read what the cache lacks and print what was done.

    Args:
        config: with `pool`, `paths` and `extraction`.
        model: what reads the queries, given the options.
        overrides: the words that made the configuration, for messages that name the command.

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
    try:
        with extraction_progress() as progress:
            report = extract(
                reader, queries["query_id"].tolist(), queries["prompt"].tolist(), caches, options, progress
            )
    except UserError as error:
        raise UserError(with_own_facts(str(error), dict.fromkeys(GROUPS, overrides))) from error
    say(*report.lines())
    return 0
