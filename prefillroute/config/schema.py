"""The form of a composed run: typed facts, open choices (STYLE section 5.2).

The form is attached once, at the root of ``conf/config.yaml``, ``conf/extract.yaml`` and the other root files, so
that a fact file needs no header and a misspelt key in it fails when Hydra composes.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import II, MISSING

from prefillroute.config.facts import (
    EmbedderConfig,
    EncoderConfig,
    LanguageModelConfig,
    PathsConfig,
    PoolConfig,
)
from prefillroute.config.request import RequestConfig, ShareConfig, TextRequestConfig


@dataclass
class EvaluationConfig:
    """How the metrics of a run are computed (DESIGN section 5)."""

    num_resamples: int = 1000
    """Bootstrap resamples over test queries; 0 leaves the intervals out."""
    grid_size: int = 101
    """Points of the uniform lambda grid that `efficacy` averages over."""
    guard: float = II("oc.select:policy.guard,2.0")
    """Standard errors that the gain over the best single target must exceed at the lambda that is reported. Set
    `policy.guard`, which this follows; a policy without lambda has none, and the report's choice of lambda takes 2."""


@dataclass
class RunConfig:
    """`prefillroute train`: from outcomes to a report and a router bundle."""

    encoder: EncoderConfig = MISSING
    embedder: EmbedderConfig = MISSING
    language_model: LanguageModelConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    signal: dict[str, Any] = MISSING
    pooling: dict[str, Any] = MISSING
    layers: dict[str, Any] = MISSING
    split: dict[str, Any] = MISSING
    cost: dict[str, Any] = MISSING
    head: dict[str, Any] = MISSING
    calibration: dict[str, Any] = MISSING
    policy: dict[str, Any] = MISSING
    trainer: dict[str, Any] = MISSING
    logger: dict[str, Any] = MISSING
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    num_folds: int = 5
    """Out-of-fold groups; not used when the split has a calibration part."""
    validation_size: float = 0.1
    """Share of each group's training rows that early stopping and the best members are judged on."""
    nested_layers: bool = False
    """Choose layers anew inside each fold, on its training rows only: shows how much one choice for all folds
    flatters the out-of-fold AUC. Costs as many layer choices as folds and leaves no router bundle."""
    seed: int = 0
    threads: int | None = None
    """CPU threads; null takes OMP_NUM_THREADS or what the job was given (SLURM_CPUS_PER_TASK, affinity, cgroup)."""
    report: bool = True
    """Draw figures and write report.html; `prefillroute report RUN` makes them later from the same folder."""


@dataclass
class ExtractConfig:
    """`prefillroute extract`: an encoder over the queries of a pool."""

    encoder: EncoderConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    request: RequestConfig = field(default_factory=RequestConfig)
    extraction: dict[str, Any] = MISSING
    """The backend and its settings."""
    share: ShareConfig = field(default_factory=ShareConfig)


@dataclass
class EmbedConfig:
    """`prefillroute embed`: an embedder over the queries of a pool."""

    embedder: EmbedderConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    request: TextRequestConfig = field(default_factory=TextRequestConfig)
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:<n>`."""
    tokens_per_batch: int | None = None
    """Padded tokens; null: 1,024 on a CPU, 32,768 on a GPU."""
    share: ShareConfig = field(default_factory=ShareConfig)
    vectors: str | None = None
    """Parquet file with vectors made elsewhere (`prompt_sha256`, `embedding`), instead of running the embedder."""


@dataclass
class PerplexityConfig:
    """`prefillroute perplexity`: a causal language model over the queries of a pool."""

    language_model: LanguageModelConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    request: TextRequestConfig = field(default_factory=TextRequestConfig)
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:<n>`."""
    tokens_per_batch: int | None = None
    """Padded tokens; null: 1,024 on a CPU, 32,768 on a GPU."""
    share: ShareConfig = field(default_factory=ShareConfig)


@dataclass
class PoolShowConfig:
    """`prefillroute pool show`: a pool and its outcomes."""

    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING


@dataclass
class LimitsConfig:
    """What bounds a collection."""

    max_tokens: int = 128_000
    """Most tokens that a target may answer with, its reasoning included (paper section 4.1)."""
    spend_usd: float | None = None
    """Never begin a call that could bring the cost of all runs above this, were it and those under way to run to their
    max_tokens; null asks to the end."""
    retries: int = 5
    """Further attempts after a failed call; then the outcome is missing."""
    attempt_s: int = 3600
    """Seconds after which one attempt is given up and made again."""
    stall_s: int = 60
    """Seconds of silence inside a stream after which the attempt is given up and made again."""
    connections: int | None = None
    """Calls under way at once, per target; null takes the provider's number."""


@dataclass
class EstimateConfig:
    """What `collect --dry-run` assumes of answers it has not seen, in tokens."""

    thinking_tokens: int = 8_000
    direct_tokens: int = 500


@dataclass
class CollectConfig:
    """`prefillroute collect`: the targets of a pool over the questions of a benchmark."""

    pool: PoolConfig = MISSING
    benchmark: dict[str, Any] = MISSING
    paths: PathsConfig = MISSING
    out: str = MISSING
    """Outcome folder to write; the calls themselves are kept in `collect/` below it."""
    max_questions: int | None = None
    """Ask a stratified, deterministic subset of this many; null asks them all."""
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    estimate: EstimateConfig = field(default_factory=EstimateConfig)


def register_schemas() -> None:
    """Make the forms known to Hydra under the names that the root YAML files extend. Idempotent."""
    store = ConfigStore.instance()
    store.store(name="run_schema", node=RunConfig)
    store.store(name="extract_schema", node=ExtractConfig)
    store.store(name="embed_schema", node=EmbedConfig)
    store.store(name="perplexity_schema", node=PerplexityConfig)
    store.store(name="pool_schema", node=PoolShowConfig)
    store.store(name="collect_schema", node=CollectConfig)
