"""What an encoder needs: memory, GPUs, disk and time, calculated from its facts.

Nothing here was measured on a GPU. The figures are for planning: how many GPUs a job should ask for, whether a disk is
large enough, and which of two encoders takes longer. `BYTES_PER_TOKEN_AND_WIDTH`, `RESERVED_GIB`, `LOADING_GB_PER_S`
and `UTILISATION` are rules of thumb; everything else is counting.
"""

from dataclasses import dataclass

from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.request import ReadRequest

GIB = 1 << 30
BYTES_PER_PARAMETER = {"bf16": 2.0, "fp8": 1.05, "mxfp4": 0.55}
"""With the scales of quantised weights, and the parts that stay in bfloat16."""
BYTES_PER_TOKEN_AND_WIDTH = 80
"""What a forward pass holds at once beside the weights: 40 vectors of the width, in bfloat16, for every token. SmolLM2
held 41 to 44 of them on a CPU; in a mixture of experts it depends on how the experts are computed."""
RESERVED_GIB = 2.0
"""CUDA context, kernels' workspace, what an allocator cannot use."""
USABLE = 0.95
"""Share of a GPU's memory that is planned with."""
MOST_GPUS = 1024
TOKENS_PER_BATCH = 32_768
LOADING_GB_PER_S = 1.0
"""From a shared file system."""
QUERY_TOKENS = 700
"""An MMLU-Pro question with its template has about 250 tokens, one with five examples about 1,500."""
UTILISATION = 0.2
"""Share of a GPU's peak that a prefill in batches reaches."""
STORED_BYTES = {"float32": 4, "float16": 2}


@dataclass(frozen=True)
class Gpu:
    """A GPU by its data sheet."""

    gib: float
    """Memory."""
    tflops: float
    """Peak of dense bfloat16 matrix products, in 10^12 operations per second."""


GPUS = {
    "l40s": Gpu(48, 362),
    "a100": Gpu(80, 312),
    "h100": Gpu(80, 989),
    "h200": Gpu(141, 989),
    "b200": Gpu(180, 2250),
}


def weight_bytes(facts: EncoderConfig, dequantised: bool = False) -> float:
    """Bytes of the weights.

    Args:
        facts: the encoder.
        dequantised: in bfloat16 in any case, as where kernels for a quantised format are missing.

    Example:
        >>> facts = EncoderConfig(params_b=30.0, weights="fp8")
        >>> weight_bytes(facts) / 1e9, weight_bytes(facts, dequantised=True) / 1e9
        (31.5, 60.0)
    """
    if dequantised:
        return facts.params_b * 1e9 * BYTES_PER_PARAMETER["bf16"]
    if facts.weights_gb is not None:
        return facts.weights_gb * 1e9
    return facts.params_b * 1e9 * BYTES_PER_PARAMETER[facts.weights]


def pass_bytes(facts: EncoderConfig, tokens: int = TOKENS_PER_BATCH) -> float:
    """Bytes of a forward pass over a batch of padded tokens, without weights; transformers keeps no keys and values."""
    return float(tokens * facts.hidden_size * BYTES_PER_TOKEN_AND_WIDTH)


def cache_bytes_per_token(facts: EncoderConfig, request: ReadRequest | None = None) -> float:
    """Bytes that vLLM keeps of a token that is under way, in bfloat16: keys and values, and the layers to be pooled."""
    layers = (request or ReadRequest()).layer_ids(facts.num_layers, facts.params_b)
    kept = facts.kv_numbers if facts.kv_numbers is not None else 2 * facts.num_layers * facts.hidden_size
    return 2.0 * (kept + len(layers) * facts.hidden_size)


def gib_per_gpu(
    facts: EncoderConfig, gpus: int, tokens: int = TOKENS_PER_BATCH, dequantised: bool = False
) -> float:
    """GiB on the fullest of so many GPUs when the blocks are spread over them (`extraction.device=balanced`)."""
    weights = weight_bytes(facts, dequantised)
    # Blocks are not divided: the fullest GPU may hold one more than its share.
    held = weights / gpus + (weights / facts.num_layers if gpus > 1 else 0.0)
    return (held + pass_bytes(facts, tokens)) / GIB + RESERVED_GIB


def gpus_needed(
    facts: EncoderConfig, gpu_gib: float, tokens: int = TOKENS_PER_BATCH, dequantised: bool = False
) -> int | None:
    """The least power of two of GPUs that hold the encoder and a batch; None if not even `MOST_GPUS` do.

    Args:
        facts: the encoder.
        gpu_gib: memory of one GPU in GiB.
        tokens: padded tokens of a batch.
        dequantised: as in `weight_bytes`.

    Example:
        >>> gpus_needed(EncoderConfig(params_b=120.0, num_layers=88, hidden_size=4096), gpu_gib=80)
        4
    """
    gpus = 1
    while gib_per_gpu(facts, gpus, tokens, dequantised) > USABLE * gpu_gib:
        gpus *= 2
        if gpus > MOST_GPUS:
            return None
    return gpus


def pooled_bytes(facts: EncoderConfig, queries: int, request: ReadRequest | None = None) -> float:
    """Bytes of a cache on disk: every query, layer and pooling of the request; the index adds a few per cent.

    Example:
        >>> facts = EncoderConfig(params_b=122.0, num_layers=48, hidden_size=3072)
        >>> pooled_bytes(facts, queries=10_000) / 1e9  # 25 layers, two poolings, 4 bytes
        6.144
    """
    request = request or ReadRequest()
    layers = request.layer_ids(facts.num_layers, facts.params_b)
    cells = queries * len(layers) * len(request.poolings)
    return float(cells * facts.hidden_size * STORED_BYTES[request.storage_dtype])


def expected_seconds(
    facts: EncoderConfig,
    queries: int,
    gpu: Gpu,
    tokens_per_query: int = QUERY_TOKENS,
    utilisation: float = UTILISATION,
    busy_gpus: int = 1,
) -> float:
    """Seconds of the forward passes: two operations per active parameter and token.

    Attention between tokens is left out, which is a few per cent of a short prompt. Every block runs, whichever layers
    are kept.

    Args:
        facts: the encoder.
        queries: number of queries.
        gpu: the kind of GPU.
        tokens_per_query: mean length with template.
        utilisation: share of the GPU's peak that is reached.
        busy_gpus: GPUs that compute at the same time. With `balanced` that is 1, however many hold the blocks, since
            they take turns; with tensor parallelism all of them.

    Example:
        >>> facts = EncoderConfig(params_b=35.0, active_b=3.0)
        >>> round(expected_seconds(facts, 10_000, GPUS["h100"], utilisation=0.5))
        85
    """
    active = facts.params_b if facts.active_b is None else facts.active_b
    operations = 2.0 * active * 1e9 * queries * tokens_per_query
    return operations / (gpu.tflops * 1e12 * utilisation * busy_gpus)


def loading_seconds(facts: EncoderConfig) -> float:
    """Seconds to read the weights at `LOADING_GB_PER_S`; every job of an array reads them."""
    return weight_bytes(facts) / 1e9 / LOADING_GB_PER_S


@dataclass(frozen=True)
class Needs:
    """What extraction with one encoder takes, all of it calculated."""

    encoder: str
    weights: str
    params_b: float
    active_b: float
    num_layers: int
    hidden_size: int
    weight_gb: float
    """10^9 bytes."""
    gpus: int | None
    """That hold the encoder, a power of two; None if too many would be needed."""
    gib_per_gpu: float | None
    """On the fullest of them."""
    gpus_dequantised: int | None
    """The same where the weights become bfloat16, for want of kernels for their format."""
    vllm_kb_per_token: float
    """10^3 bytes that vLLM keeps of every token under way."""
    cache_gb: float
    """10^9 bytes of the cache on disk."""
    loading_minutes: float
    pass_minutes: float
    """Of the forward passes on `gpus` that take turns."""
    pass_minutes_together: float
    """The same if they all compute at once and lose nothing by it."""


def needs(
    facts: EncoderConfig,
    gpu: Gpu,
    queries: int,
    tokens_per_query: int = QUERY_TOKENS,
    utilisation: float = UTILISATION,
) -> Needs:
    """What `prefillroute encoders` shows of an encoder; see `gpus_needed`, `pooled_bytes` and `expected_seconds`."""
    gpus = gpus_needed(facts, gpu.gib)
    seconds = expected_seconds(facts, queries, gpu, tokens_per_query, utilisation)
    return Needs(
        encoder=facts.name,
        weights=facts.weights,
        params_b=facts.params_b,
        active_b=facts.params_b if facts.active_b is None else facts.active_b,
        num_layers=facts.num_layers,
        hidden_size=facts.hidden_size,
        weight_gb=weight_bytes(facts) / 1e9,
        gpus=gpus,
        gib_per_gpu=None if gpus is None else gib_per_gpu(facts, gpus),
        gpus_dequantised=gpus_needed(facts, gpu.gib, dequantised=True),
        vllm_kb_per_token=cache_bytes_per_token(facts) / 1e3,
        cache_gb=pooled_bytes(facts, queries) / 1e9,
        loading_minutes=loading_seconds(facts) / 60,
        pass_minutes=seconds / 60,
        pass_minutes_together=seconds / 60 / (gpus or MOST_GPUS),
    )
