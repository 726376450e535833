"""What `extract`, `embed` and `perplexity` do: bring a pool's queries into the cache of one model."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from prefillroute.caches.commands import GROUPS, with_own_facts
from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import (
    EmbedderConfig,
    EncoderConfig,
    LanguageModelConfig,
    PathsConfig,
    PoolConfig,
)
from prefillroute.config.request import RequestConfig, ShareConfig, TextRequestConfig
from prefillroute.extraction.backends.contract import Backend
from prefillroute.extraction.progress import extraction_progress
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.extraction.share import WorkShare
from prefillroute.jobs.folder import task_overrides
from prefillroute.jobs.job import run_job
from prefillroute.jobs.progress import JobProgress
from prefillroute.outcomes.pool import load_pool
from prefillroute.semantic.embedder import SentenceEmbedder
from prefillroute.semantic.language_model import LanguageModelReader
from prefillroute.semantic.vectors_file import VectorsFile
from prefillroute.text.printing import say


def extract_activations(config: DictConfig) -> None:
    """Run one job of `prefillroute extract`."""

    def backend() -> Backend:
        facts = fact(config.encoder, EncoderConfig)
        request = ReadRequest(**vars(fact(config.request, RequestConfig)))
        return build(config.extraction, facts=facts, request=request)

    _job(config, backend)


def embed_queries(config: DictConfig) -> None:
    """Run one job of `prefillroute embed`."""

    def backend() -> Backend:
        facts = fact(config.embedder, EmbedderConfig)
        if config.vectors is not None:
            return VectorsFile(facts, Path(config.vectors))
        request = ReadRequest(**vars(fact(config.request, TextRequestConfig)))
        return SentenceEmbedder(facts, request, config.device, config.tokens_per_batch)

    _job(config, backend)


def read_perplexity(config: DictConfig) -> None:
    """Run one job of `prefillroute perplexity`."""

    def backend() -> Backend:
        facts = fact(config.language_model, LanguageModelConfig)
        request = ReadRequest(**vars(fact(config.request, TextRequestConfig)))
        return LanguageModelReader(facts, request, config.device, config.tokens_per_batch)

    _job(config, backend)


def _job(config: DictConfig, make_backend: Callable[[], Backend]) -> None:
    # A message that names a command names this one, with all its overrides.
    words = dict.fromkeys(GROUPS, task_overrides(HydraConfig.get().overrides))
    run_job(
        config,
        lambda folder: _fill(config, make_backend, folder),
        reword=lambda message: with_own_facts(message, words),
    )


def _fill(config: DictConfig, make_backend: Callable[[], Backend], folder: Path) -> list[Path]:
    """Read what the cache lacks, print what was done, and record it in the job's folder; returns the cache."""
    pool = fact(config.pool, PoolConfig)
    _, outcomes = load_pool(
        pool.targets, pool.outcomes, pool.exclude, pool.correct_threshold, pool.max_queries, pool.import_hint
    )
    share = WorkShare(**vars(fact(config.share, ShareConfig)))
    caches = Path(fact(config.paths, PathsConfig).caches)
    ids, prompts = outcomes.queries["query_id"].tolist(), outcomes.queries["prompt"].tolist()
    with closing(make_backend()) as backend, extraction_progress(JobProgress(folder)) as progress:
        report = extract(backend, ids, prompts, caches, share, progress)
    say(*report.lines())
    report.write(folder)
    return [report.path]
