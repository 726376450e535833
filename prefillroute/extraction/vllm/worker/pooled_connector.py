"""A connector of vLLM's that pools a prompt's hidden states where they are and sends only the vectors.

vLLM imports it by name (`kv_connector_module_path`) in the process that has the weights. The connector that vLLM ships
writes every token of every layer to disk and needs CUDA; of it, only what finds the hidden states is used.
"""

import os
import queue
import threading
from typing import Any

import pooled_frames
import torch
from pooled_tokens import load_poolings, pool
from vllm.distributed.kv_transfer.kv_connector.v1.example_hidden_states_connector import (
    ExampleHiddenStatesConnector,
    extract_from_kv_cache,
)


class _Over:
    """Stands for the event of a copy that is already over."""

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        pass


class PooledConnector(ExampleHiddenStatesConnector):
    """Sends the pooled vectors of each prompt, with its token ids, through a pipe."""

    def __init__(self, vllm_config: Any, role: Any, kv_cache_config: Any) -> None:
        super().__init__(vllm_config=vllm_config, role=role, kv_cache_config=kv_cache_config)
        extra = vllm_config.kv_transfer_config.kv_connector_extra_config
        self._poolings = load_poolings(extra["packages"], extra["poolings"])
        self._layer_ids = list(
            vllm_config.speculative_config.draft_model_config.hf_config.eagle_aux_hidden_state_layer_ids
        )
        self._pipe: str = extra["pipe"]
        self._outgoing: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
        self._sender: threading.Thread | None = None

    def _submit_async_write(self, pending: Any) -> None:
        """Pool one finished prompt. Its blocks may be used again afterwards; `get_finished` then says so."""
        if not self._is_tp_rank_zero:
            return
        count = len(pending.token_ids)
        blocks = torch.as_tensor(pending.block_ids, dtype=torch.long)
        slots = (blocks[:, None] * self._block_size + torch.arange(self._block_size)).flatten()[:count]
        hidden = extract_from_kv_cache(self._kv_cache, slots.to(self._kv_cache.device), count)
        vectors, zero, bad = pool(hidden, self._poolings)
        header = {
            "kind": "vectors",
            "id": pending.req_id.rpartition("-")[0],  # vLLM appends eight digits of its own
            "tokens": count,
            "rows": hidden.shape[0],
            "layer_ids": self._layer_ids,
            "columns": hidden.shape[1],
            "hidden_size": hidden.shape[2],
            "poolings": list(self._poolings),
            "zero": zero,
            "bad": bad,
        }
        ids = pending.token_ids.to(torch.int32).numpy().tobytes()
        self._send(header, ids + vectors.contiguous().numpy().tobytes())
        self._req_copy_events[pending.req_id] = _Over()

    def _send(self, header: dict[str, Any], payload: bytes) -> None:
        """Leave it to a thread: the model goes on while the reader is busy."""
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_all, name="pooled-vectors", daemon=True)
            self._sender.start()
        self._outgoing.put((header, payload))

    def _send_all(self) -> None:
        # This process may have been spawned and share no descriptor with the program that did; its number there does.
        descriptor = os.open(self._pipe, os.O_WRONLY)
        while True:
            pooled_frames.send(descriptor, *self._outgoing.get())
