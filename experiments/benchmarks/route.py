"""`Router.route` after the encoder's forward: median milliseconds per query, batch of one, 2 threads, 20 targets.

The bundle is built from random weights of the right shapes; arithmetic does not care. `python -m
experiments.benchmarks.route` prints the figure for SmolLM2's size and for 8 blocks of a 122 B encoder's width.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from rich.table import Table

from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.layers.choice import Block
from prefillroute.layers.features import BlockTransform
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.router.encoding import QueryEncoder
from prefillroute.router.manifest import EncoderEntry, Manifest, TargetEntry
from prefillroute.router.predictor import Predictor
from prefillroute.router.router import Router
from prefillroute.text.screen import Screen

NUM_TARGETS, NUM_MEMBERS, THREADS = 20, 5, 2
SIZES = {
    "smollm2_135m, 2 blocks of 576 -> 100": (2, 576, 100),
    "smollm2_135m, 8 blocks of 576 -> 100": (8, 576, 100),
    "qwen35_122b, 8 blocks of 3,072 -> 300": (8, 3072, 300),
}
LIMIT_MS = 1.0


def make_router(num_blocks: int, hidden: int, dim: int) -> Router:
    """A router of random weights: `num_blocks` blocks of `hidden` -> `dim`, the shipped head, Platt, token costs."""
    generator = torch.Generator().manual_seed(0)
    blocks = tuple(Block("encoder", (layer,), "last", dim) for layer in range(1, num_blocks + 1))
    transform = BlockTransform(
        blocks,
        tuple(torch.randn(hidden, generator=generator) for _ in blocks),
        tuple(torch.randn(hidden, dim, generator=generator) / hidden**0.5 for _ in blocks),
    )
    head = SharedTrunkNet(Layout(num_blocks * dim), NUM_TARGETS, num_members=NUM_MEMBERS)
    names = [f"target{number}" for number in range(NUM_TARGETS)]
    parameters = {"slope": [1.0] * NUM_TARGETS, "offset": [0.0] * NUM_TARGETS}
    cost = TokenCost.from_state(
        {
            "kind": "tokens",
            "targets": names,
            "cost_range": [1e-6, 1e-2],
            "observed": [None] * NUM_TARGETS,
            **{
                term: np.linspace(0.1, 10, NUM_TARGETS).tolist()
                for term in ("price_in", "price_out", "completion_tokens", "overhead", "slope")
            },
        }
    )
    facts = EncoderConfig(
        name="encoder", num_layers=num_blocks, hidden_size=hidden, context_length=1, params_b=1.0
    )
    manifest = Manifest(
        encoders=(EncoderEntry(facts, {}),),
        blocks=blocks,
        targets=tuple(TargetEntry(TargetConfig(name=name)) for name in names),
        head={},
        calibration={},
        cost={},
        policy={"name": "lambda", "value": 0.3},
        cost_range=cost.cost_range_,
        correct_threshold=0.5,
        fingerprint={},
        metrics={},
        weights_bytes=0,
        weights_sha256="",
        written_by="benchmark",
    )
    predictor = Predictor(transform, head, PlattCalibrator().restore(**parameters))
    return Router(manifest, predictor, cost, QueryEncoder(manifest.encoders, blocks, Path("benchmark")))


def seconds_per_query(router: Router, hidden: int, repeats: int) -> np.ndarray:
    """(repeats,) wall seconds of `route_activations` on one new query each."""
    rng = np.random.default_rng(0)
    blocks = len(router.manifest.blocks)
    queries = [[rng.standard_normal((1, hidden), dtype=np.float32) for _ in range(blocks)] for _ in range(32)]
    tokens = np.array([120])
    times = []
    for number in range(repeats + 20):
        start = time.perf_counter()
        router.route_activations(queries[number % 32], tokens)
        times.append(time.perf_counter() - start)
    return np.array(times[20:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    table = Table("router", "median ms", "95 % ms", f"wanted, {NUM_TARGETS} targets, {THREADS} threads")
    for number, (name, (blocks, hidden, dim)) in enumerate(SIZES.items()):
        times = 1e3 * seconds_per_query(make_router(blocks, hidden, dim), hidden, arguments.repeats)
        wanted = f"under {LIMIT_MS:g} ms" if number == 0 else "stated only"
        table.add_row(name, f"{np.median(times):.3f}", f"{np.percentile(times, 95):.3f}", wanted)
    Screen().table(table)


if __name__ == "__main__":
    main()
