"""Runs vLLM's engine: takes prompts as they come, and steps until the vectors of all have been received."""

import queue
from typing import Any

import psutil
import torch
from vllm import EngineArgs, LLMEngine, SamplingParams

Commands = queue.SimpleQueue
IDLE_S = 0.002
"""How long to wait for the reader when all prompts are done and some vectors are still on their way."""


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
            dtype=setup["dtype"],
            quantization=setup["quantization"],
            tensor_parallel_size=setup["tensor_parallel_size"],
            enforce_eager=setup["enforce_eager"],
            max_model_len=setup["max_model_len"],
            max_num_batched_tokens=setup["tokens_per_batch"],
            enable_prefix_caching=False,
            enable_chunked_prefill=False,
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
    """Read prompts for ever; the thread that fills `commands` ends the process.

    Raises:
        Exception: whatever vLLM raises, for instance for lack of memory.
    """
    only_prefill = SamplingParams(max_tokens=1, temperature=0, detokenize=False, ignore_eos=True)
    under_way = 0
    while True:
        idle = not engine.has_unfinished_requests()
        try:
            header, payload = commands.get(block=idle, timeout=IDLE_S if under_way else None)
        except queue.Empty:
            engine.step()
            continue
        if header["kind"] == "read":
            prompt = {"prompt_token_ids": memoryview(payload).cast("i").tolist()}
            engine.add_request(header["id"], prompt, only_prefill)
            under_way += 1
        elif header["kind"] == "received":
            under_way -= header["count"]
