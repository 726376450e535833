"""The schema of composed configurations: facts are typed, choices are open.

A schema is attached once, at the top of ``conf/config.yaml``, ``conf/extract.yaml`` and the other root files. A fact
file therefore needs no header, and a misspelt key in it fails as soon as Hydra composes.
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
class RouterCostConfig:
    """What the router itself costs per query (paper section 5.1.4): tokens / tokens_per_s * usd_per_hour / 3600."""

    usd_per_hour: float = 0.0
    """Rent of the hardware that the encoder's prefill occupies; 0 counts nothing, as where the engine caches it."""
    tokens_per_s: float | None = None
    """Measured speed of the encoder's prefill; with several encoders, of all of them one after another."""


@dataclass
class EvaluationConfig:
    """How the metrics of a run are computed (DESIGN section 5)."""

    num_resamples: int = 1000
    """Bootstrap resamples over test queries; 0 leaves the intervals out."""
    grid_size: int = 101
    """Points of the uniform lambda grid that `efficacy` averages over."""
    guard: float = II("oc.select:policy.guard,2.0")
    """Number of standard errors by which the reported lambda must beat the best single target. It follows
    `policy.guard`, so set that; for a policy without a guard, the report's choice of lambda uses 2."""
    router_cost: RouterCostConfig = field(default_factory=RouterCostConfig)
    """Added to the cost of every query that the router reads."""


@dataclass
class PredictorParts:
    """What a predictor may be made of; each part is read only if `predictor`, or a part that it names, names it."""

    encoder: EncoderConfig = MISSING
    embedder: EmbedderConfig = MISSING
    language_model: LanguageModelConfig = MISSING
    signal: dict[str, Any] = MISSING
    pooling: dict[str, Any] = MISSING
    layers: dict[str, Any] = MISSING
    mode: dict[str, Any] = MISSING
    head: dict[str, Any] = MISSING


@dataclass
class RunConfig(PredictorParts):
    """`prefillroute train`: turns outcomes into a report and a router bundle."""

    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    split: dict[str, Any] = MISSING
    cost: dict[str, Any] = MISSING
    predictor: dict[str, Any] = MISSING
    calibration: dict[str, Any] = MISSING
    policy: dict[str, Any] = MISSING
    trainer: dict[str, Any] = MISSING
    logger: dict[str, Any] = MISSING
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    num_folds: int = 5
    """Folds for out-of-fold predictions; not used if the split has a calibration part."""
    validation_size: float = 0.1
    """Share of each fold's training rows that early stopping and the ranking of members are judged on."""
    nested_layers: bool = False
    """Choose layers again inside each fold, on its training rows only. This shows how much one choice for all folds
    flatters the out-of-fold AUC; it takes one layer choice per fold."""
    seed: int = 0
    threads: int | None = None
    """CPU threads; null takes OMP_NUM_THREADS, or what the job was given (SLURM_CPUS_PER_TASK, affinity, cgroup)."""
    objectives: list[str] = field(default_factory=list)
    """Metrics that a sweeper which optimises reads of each job, in this order: of metrics.json's section `test`, or
    `training_work` or `training_seconds`. The better direction of each is known."""
    report: bool = True
    """Draw figures and write report.html; `prefillroute report RUN` can make them later from the same folder."""
    bundle: bool = True
    """Write the router bundle, with which `prefillroute route` routes new queries."""


@dataclass
class ExtractConfig:
    """`prefillroute extract`: runs an encoder over the queries of a pool."""

    encoder: EncoderConfig = MISSING
    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING
    request: RequestConfig = field(default_factory=RequestConfig)
    extraction: dict[str, Any] = MISSING
    """The backend and its settings."""
    share: ShareConfig = field(default_factory=ShareConfig)


@dataclass
class EmbedConfig:
    """`prefillroute embed`: runs an embedder over the queries of a pool."""

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
    """Parquet file with vectors from elsewhere (`prompt_sha256`, `embedding`); the embedder is not run then."""


@dataclass
class PerplexityConfig:
    """`prefillroute perplexity`: runs a causal language model over the queries of a pool."""

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
    """`prefillroute pool show`: summarises a pool and its outcomes."""

    pool: PoolConfig = MISSING
    paths: PathsConfig = MISSING


@dataclass
class LimitsConfig:
    """Limits of a collection."""

    max_tokens: int = 128_000
    """Most tokens in a target's answer, including its reasoning (paper section 4.1)."""
    spend_usd: float | None = None
    """Never begin a call that could bring the cost of all runs above this if it and the calls in flight ran to their
    max_tokens; null sets no limit."""
    retries: int = 5
    """Further attempts after a failed call; if all fail, the outcome is missing."""
    attempt_s: int = 3600
    """Seconds after which an attempt is abandoned and repeated."""
    stall_s: int = 60
    """Seconds of silence in a stream after which the attempt is abandoned and repeated."""
    connections: int | None = None
    """Calls in flight at once, per target; null takes the provider's number."""


@dataclass
class EstimateConfig:
    """Length in tokens that `collect --dry-run` assumes for answers it has not seen."""

    thinking_tokens: int = 8_000
    direct_tokens: int = 500


@dataclass
class CollectConfig:
    """`prefillroute collect`: asks the targets of a pool the questions of a benchmark."""

    pool: PoolConfig = MISSING
    benchmark: dict[str, Any] = MISSING
    paths: PathsConfig = MISSING
    out: str = MISSING
    """Outcome folder to write; the calls themselves are kept in its subfolder `collect/`."""
    max_questions: int | None = None
    """Ask a stratified, deterministic subset of this many; null asks them all."""
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    estimate: EstimateConfig = field(default_factory=EstimateConfig)


def register_schemas() -> None:
    """Register the schemas with Hydra under the names that the root YAML files extend. Idempotent."""
    store = ConfigStore.instance()
    store.store(name="run_schema", node=RunConfig)
    store.store(name="extract_schema", node=ExtractConfig)
    store.store(name="embed_schema", node=EmbedConfig)
    store.store(name="perplexity_schema", node=PerplexityConfig)
    store.store(name="pool_schema", node=PoolShowConfig)
    store.store(name="collect_schema", node=CollectConfig)
