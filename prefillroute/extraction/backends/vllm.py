"""The vLLM backend of encoders: a process of its own pools in the engine, and only the vectors come back."""

import logging
import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

import prefillroute
from prefillroute import pooling
from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Answer, Backend, Batch
from prefillroute.extraction.batches import plan_batches
from prefillroute.extraction.encoder import EncoderInput
from prefillroute.extraction.prompts import PromptEncoder
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.vllm.answers import WrongAnswer, check_model, checked_vectors
from prefillroute.extraction.vllm.converted import readable_by_vllm
from prefillroute.extraction.vllm.environment import VllmEnvironment
from prefillroute.extraction.vllm.process import WorkerProcess
from prefillroute.home import cache_folder
from prefillroute.pooling.choice import known_poolings

log = logging.getLogger(__name__)

TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 8192}
"""Of a step. Every layer's hidden states of so many tokens are in memory at once, more than once."""
MEMORY_SHARE = {"cpu": 0.2, "cuda": 0.9}
BATCHES_UNDER_WAY = 2
"""So that the next step's prompts are there when a step ends."""
Reading = tuple[tuple[int, ...], tuple[str, ...]]
"""Layers and poolings."""


class VllmBackend(Backend):
    """An encoder's residual streams by vLLM, in a process with the interpreter of vLLM's own environment.

    Token ids go there, and pooled vectors come back through a pipe, in order of completion. Every answer is compared
    with what was asked (see `extraction.vllm.answers`). Layer k is as with transformers: 0 the embeddings, L before
    the final norm.

    Args:
        facts: which model.
        request: what to read of it.
        python: the interpreter; `make vllm-env` makes it.
        tokens_per_batch: most tokens of a step; None: 2,048 on a CPU, 8,192 on a GPU, and at least the longest prompt
            and one more, because prompts are not divided.
        memory_share: None: 0.9 of the GPU's memory, weights included; with vLLM's CPU build 0.2 of the free memory, for
            keys, values and hidden states.
        tensor_parallel_size: GPUs over which the weights are spread.
        quantization: how vLLM quantises weights that are not quantised, such as `fp8`; None: as they are.
        enforce_eager: do not compile, which starts faster.
        load_timeout_s: how long the process may take to load the weights.
        answer_timeout_s: how long it may be silent while prompts are under way.
        log: file for what the process prints; None: a file in the user's cache folder, kept if the process fails.

    Raises:
        UserError: there is no such environment, files are not available, or an option is out of range.
    """

    def __init__(
        self,
        facts: EncoderConfig,
        request: ReadRequest,
        *,
        python: str = ".venv-vllm/bin/python",
        tokens_per_batch: int | None = None,
        memory_share: float | None = None,
        tensor_parallel_size: int = 1,
        quantization: str | None = None,
        enforce_eager: bool = True,
        load_timeout_s: float = 3600.0,
        answer_timeout_s: float = 600.0,
        log: str | None = None,
    ) -> None:
        self.what = f"encoder {facts.name}"
        self.facts, self.request = facts, request
        self.layer_ids = request.layer_ids(facts.num_layers, facts.params_b)
        self.poolings = tuple(request.poolings)
        self._environment = VllmEnvironment.find(python)
        self._input = EncoderInput(facts, request, self.what)
        self.prompts: PromptEncoder = self._input.prompts
        device = self._environment.device
        # One token is generated, and counts.
        self.max_model_len = self.prompts.max_length + 1
        share = MEMORY_SHARE[device] if memory_share is None else memory_share
        for key, value, least in (
            ("tokens_per_batch", tokens_per_batch, self.max_model_len),
            ("tensor_parallel_size", tensor_parallel_size, 1),
        ):
            if value is not None and value < least:
                raise UserError(
                    f"extraction.{key}: expected {least} or more, found {value}"
                    + ("; or set request.max_length lower" if least > 1 else "")
                )
        if not 0 < share < 1:
            raise UserError(f"extraction.memory_share: expected a number between 0 and 1, found {share}")
        self.tokens_per_batch = tokens_per_batch or max(TOKENS_PER_BATCH[device], self.max_model_len)
        """Most tokens of a step."""
        self._settings = {
            "device": device,
            "dtype": request.compute_dtype(device),
            "quantization": quantization,
            "tensor_parallel_size": tensor_parallel_size,
            "enforce_eager": enforce_eager,
            "memory_share": share,
            "max_model_len": self.max_model_len,
            "tokens_per_batch": self.tokens_per_batch,
        }
        self._load_timeout_s, self._answer_timeout_s = load_timeout_s, answer_timeout_s
        self._log = log
        self._worker: WorkerProcess | None = None
        self._reading: Reading = ((), ())
        self._sent = 0
        self._under_way: dict[str, np.ndarray] = {}
        self._arrived: dict[str, np.ndarray] = {}
        self._given_up: set[str] = set()

    @property
    def identity(self) -> CacheIdentity:
        """The identity that caches of this encoder's activations are checked against."""
        quantization = self._settings["quantization"]
        weights = f"{self._input.source.fingerprint} quantization={quantization}" if quantization else None
        return self._input.identity(self._environment.device, "vllm", weights)

    @property
    def versions(self) -> str:
        """Versions of the libraries that compute the numbers; recorded, not compared."""
        return self._environment.versions

    def batches(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Queries of similar length together; vLLM arranges its own steps, without padding."""
        return plan_batches(lengths, self.tokens_per_batch)

    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Start the process, and wait until it has the weights; see `Backend.load`."""
        if self._worker is not None and self._worker.alive:
            if set(layer_ids) <= set(self._reading[0]) and set(poolings) <= set(self._reading[1]):
                return
            assert self._under_way.keys() <= self._given_up, "nobody waits when other layers are asked for"
            self.close()
        layers = tuple(sorted({*layer_ids, *self.layer_ids}))
        names = tuple(sorted({*poolings, *self.poolings}))
        if not 0 <= layers[0] <= layers[-1] <= self.facts.num_layers:  # vLLM repeats another layer, silently
            raise UserError(
                f"{self.what}: expected layer ids from 0 to {self.facts.num_layers}, found {list(layers)}"
            )
        model, revision = readable_by_vllm(self._input.source, self.what)
        self._environment.warn()
        self._reset()
        self._reading = (layers, names)
        self._worker = WorkerProcess(self._environment.python, self.what, self._log_file())
        kinds = {name: known_poolings()[name] for name in names}
        self._worker.send(
            {
                "kind": "load",
                "model": model,
                "revision": revision,
                "layer_ids": list(layers),
                "poolings": {name: [kind.__module__, kind.__qualname__] for name, kind in kinds.items()},
                "packages": {
                    package.__name__: [os.path.abspath(folder) for folder in package.__path__]
                    for package in (prefillroute, pooling)
                },
                **self._settings,
            }
        )
        (header, _), *_ = self._worker.receive(
            self._load_timeout_s, "extraction.load_timeout_s", "the weights to be loaded"
        )
        if header.get("kind") != "ready":
            raise self._worker.refused(f"ready, found {header.get('kind')}")
        try:
            check_model(
                header,
                self.facts.num_layers,
                self.facts.hidden_size,
                str(self._settings["dtype"]),
                self.facts.name,
            )
        except UserError:
            self.close()
            raise

    def read(
        self, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> Generator[Answer, None, None]:
        """Keep two batches' tokens under way, and yield each batch when it is complete; see `Backend.read`.

        vLLM begins with a batch when it has ended the one before, so a batch is computed alike whenever it comes.
        """
        batches: Iterator[Batch] = iter(work)
        sent: deque[tuple[np.ndarray, list[str]]] = deque()
        more = True
        try:
            while True:
                while more and self._tokens_under_way() < BATCHES_UNDER_WAY * self.tokens_per_batch:
                    batch = next(batches, None)
                    if batch is None:
                        more = False
                        break
                    self.load(layer_ids, poolings)
                    sent.append((batch.rows, self._send(batch.token_ids)))
                if not sent and not more:
                    return
                if not sent:  # what an earlier reader gave up is in the way
                    self._receive()
                    continue
                rows, names = sent[0]
                while not self._arrived.keys() >= set(names):
                    self._receive()
                sent.popleft()
                yield rows, self._chosen([self._arrived.pop(name) for name in names], layer_ids, poolings)
        finally:
            # What is under way is computed to its end, and thrown away when it arrives.
            for name in chain.from_iterable(names for _, names in sent):
                if name in self._under_way:
                    self._given_up.add(name)
                self._arrived.pop(name, None)

    def close(self) -> None:
        """End the process. A later `read` starts it again."""
        if self._worker is not None and self._worker.alive:
            self._worker.close()
            if self._log is None:
                self._worker.log.unlink(missing_ok=True)
        self._worker = None

    def _reset(self) -> None:
        self._under_way, self._arrived, self._given_up = {}, {}, set()

    def _log_file(self) -> Path:
        if self._log is not None:
            return Path(self._log)
        name = f"{self.facts.name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        return cache_folder() / "vllm" / "logs" / name

    def _tokens_under_way(self) -> int:
        return sum(map(len, self._under_way.values()))

    def _send(self, token_ids: Sequence[np.ndarray]) -> list[str]:
        """Send the prompts of a batch, and return the names under which the answers come."""
        assert self._worker is not None, "load comes first"
        arrays = [np.ascontiguousarray(ids, dtype="<i4") for ids in token_ids]
        names = [str(self._sent + position) for position in range(len(arrays))]
        self._sent += len(arrays)
        self._under_way.update(zip(names, arrays, strict=True))
        header = {"kind": "read", "ids": names, "lengths": [len(ids) for ids in arrays]}
        self._worker.send(header, b"".join(ids.tobytes() for ids in arrays))
        return names

    def _receive(self) -> None:
        """Take what the process says next, check it, and keep it for the reader that asked."""
        worker, (layers, names) = self._worker, self._reading
        assert worker is not None, "load comes first"
        awaited = f"the vectors of {len(self._under_way)} prompts"
        frames = worker.receive(self._answer_timeout_s, "extraction.answer_timeout_s", awaited)
        for header, payload in frames:
            name = header.get("id")
            if not isinstance(name, str) or name not in self._under_way:
                raise worker.refused(f"one answer for each prompt, found {name} again or unasked")
            ids = self._under_way.pop(name)
            try:
                vectors = checked_vectors(header, payload, ids, layers, names, self.facts.hidden_size)
            except WrongAnswer as wrong:
                raise worker.refused(str(wrong)) from None
            if name in self._given_up:
                self._given_up.remove(name)
            else:
                self._arrived[name] = vectors
        worker.send({"kind": "received", "count": len(frames)})

    def _chosen(
        self, arrived: list[np.ndarray], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Pooling -> (B, layers, H), of the layers and poolings that the process reads."""
        layers, names = self._reading
        together = np.stack(arrived)  # (B, poolings, layers, H)
        positions = [layers.index(layer) for layer in layer_ids]
        return {name: together[:, names.index(name)][:, positions] for name in poolings}
