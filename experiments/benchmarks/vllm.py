"""Tokens per second of extraction with both backends, in one run: the same queries, layers and precision.

    make vllm-env
    python -m experiments.benchmarks.vllm                                   # 48 queries, 3 rounds, float32
    python -m experiments.benchmarks.vllm --queries 256 --dtype bfloat16

Both extract into empty caches, in turn, with as many threads (OMP_NUM_THREADS) and all layers; their own clocks start
when the weights are loaded. Printed are the medians, the median of the paired ratios with their range, and the largest
distance between the vectors of the two caches.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import torch

from experiments.benchmarks.extraction import DATA, load_prompts, smollm2
from prefillroute.caches.reader import ActivationCache
from prefillroute.config.compose import compose_run
from prefillroute.extraction.backends.contract import Backend, read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.backends.vllm import VllmBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.text.printing import say


def run(backend: Backend, ids: list[str], prompts: list[str], folder: Path) -> float:
    """Extract into an empty cache: tokens per second."""
    report = extract(backend, ids, prompts, folder / backend.identity.backend)
    return report.tokens / report.seconds


def largest_distance(folder: Path, backends: list[Backend], ids: list[str]) -> float:
    """Of any vector of the two caches, as a share of its length."""
    first, second = (
        ActivationCache(next((folder / backend.identity.backend).rglob("*-chat.h5"))).select(ids)
        for backend in backends
    )
    worst = 0.0
    for layer in backends[0].layer_ids:
        for pooling in backends[0].poolings:
            wanted, found = first.read(layer, pooling), second.read(layer, pooling)
            shares = np.linalg.norm(found - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
            worst = max(worst, float(shares.max()))
    return worst


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument(
        "--data", type=Path, help="folder with queries.parquet; default: " + " or ".join(DATA)
    )
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))  # vLLM's process inherits it
    python = compose_run(["extraction=vllm"], config_name="extract").extraction.python
    facts, request = smollm2(), ReadRequest(dtype=arguments.dtype)
    backends: list[Backend] = [
        TransformersBackend(facts, request, device="cpu"),
        VllmBackend(facts, request, python=python),
    ]
    prompts = load_prompts(arguments.queries, arguments.data)
    ids = [str(row) for row in range(len(prompts))]
    warm = [encoded.token_ids for encoded in backends[0].prompts(prompts[:4])]
    for backend in backends:
        read_together(backend, warm)
    rates = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rates.append([run(backend, ids, prompts, Path(folder)) for backend in backends])
            distance = largest_distance(Path(folder), backends, ids)
    backends[1].close()
    say(
        f"{len(prompts)} queries, {len(backends[0].layer_ids)} layers, {arguments.dtype}, "
        f"{torch.get_num_threads()} threads, {arguments.rounds} rounds"
    )
    for backend, rate in zip(backends, np.median(rates, axis=0), strict=True):
        say(f"{backend.identity.backend:>12}: {rate:8.0f} tokens/s   ({backend.versions})")
    ratios = np.asarray([second / first for first, second in rates])
    say(f"vllm / transformers: {np.median(ratios):.2f} [{ratios.min():.2f}, {ratios.max():.2f}]")
    say(f"largest distance between the caches' vectors: {distance:.1e} of their length")


if __name__ == "__main__":
    main()
