"""Runs vLLM's engine: batch after batch, and steps until the vectors of all prompts have been received."""

import queue
from collections import deque
from typing import Any

import psutil
import torch
from vllm import EngineArgs, LLMEngine, SamplingParams

Commands = queue.SimpleQueue
IDLE_S = 0.002
"""How long to wait between steps when all prompts are done and some vectors are still on their way."""


def make_engine(setup: dict[str, Any], pipe: str) -> LLMEngine:
    """Load the model.

    Args:
        setup: what the parent asked for.
        pipe: path under which any process of ours can open the pipe for vectors.
    """
    memory: dict[str, Any] = {"gpu_memory_utilization": setup["memory_share"]}
    if setup["device"] == "cpu":
        memory = {"kv_cache_memory_bytes": int(setup["memory_share"] * psutil.virtual_memory().available)}
    return LLMEngine.from_engine_args(
        EngineArgs(
            model=setup["model"],
            revision=setup["revision"],
            skip_tokenizer_init=True,
            language_model_only=True,  # of a model that also sees, only the text part
            dtype=setup["dtype"],
            quantization=setup["quantization"],
            tensor_parallel_size=setup["tensor_parallel_size"],
            enforce_eager=setup["enforce_eager"],
            max_model_len=setup["max_model_len"],
            max_num_batched_tokens=setup["tokens_per_batch"],
            enable_prefix_caching=False,
            enable_chunked_prefill=False,
            async_scheduling=False,  # there is no second token to schedule
            disable_log_stats=True,
            speculative_config={
                "method": "extract_hidden_states",
                "num_speculative_tokens": 1,
                "draft_model_config": {"hf_config": {"eagle_aux_hidden_state_layer_ids": setup["layer_ids"]}},
            },
            kv_transfer_config={
                "kv_connector": "PooledConnector",
                "kv_connector_module_path": "pooled_connector",
                "kv_role": "kv_producer",
                "kv_connector_extra_config": {
                    "packages": setup["packages"],
                    "poolings": setup["poolings"],
                    "pipe": pipe,
                    "use_synchronization_lock": False,  # there are no files to lock
                },
            },
            **memory,
        )
    )


def facts(engine: LLMEngine) -> dict[str, Any]:
    """What the weights say of themselves."""
    config = engine.model_config.hf_text_config
    return {
        "num_layers": config.num_hidden_layers,
        "hidden_size": config.hidden_size,
        "dtype": str(engine.model_config.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
    }


def run(engine: LLMEngine, commands: Commands) -> None:
    """Read batches for ever; the thread that fills `commands` ends the process.

    A batch begins when the one before has ended, so what is computed together does not depend on when it arrives.

    Raises:
        Exception: whatever vLLM raises, for instance for lack of memory.
    """
    waiting: deque[tuple[dict[str, Any], bytes]] = deque()
    unanswered = 0
    while True:
        busy = engine.has_unfinished_requests()
        wait: float | None = 0.0
        if not busy and not waiting:
            wait = IDLE_S if unanswered else None
        while True:
            try:
                header, payload = commands.get(block=wait != 0.0, timeout=wait)
            except queue.Empty:
                break
            wait = 0.0
            if header["kind"] == "read":
                waiting.append((header, payload))
                unanswered += len(header["ids"])
            elif header["kind"] == "received":
                unanswered -= header["count"]
        if waiting and not busy:
            add(engine, *waiting.popleft())
        if unanswered:
            engine.step()


def add(engine: LLMEngine, header: dict[str, Any], payload: bytes) -> None:
    """Give the engine the prompts of a batch; each is over when its last token's state is known."""
    only_prefill = SamplingParams(max_tokens=1, temperature=0, detokenize=False, ignore_eos=True)
    tokens = memoryview(payload).cast("i")
    start = 0
    for name, length in zip(header["ids"], header["lengths"], strict=True):
        prompt = {"prompt_token_ids": tokens[start : start + length].tolist()}
        engine.add_request(name, prompt, only_prefill)
        start += length
