"""Routing after the encoder's forward: median milliseconds per query, batch of one, 2 threads, 20 targets.

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
from prefillroute.config.facts import TargetConfig
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.layers.choice import Block
from prefillroute.layers.features import BlockTransform
from prefillroute.modes.single import Single
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.predictors.single import SinglePredictor
from prefillroute.readings.contract import Reading
from prefillroute.readings.live import LiveModels
from prefillroute.readings.recorded import RecordedReadings
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.load import Parts
from prefillroute.router.manifest import Manifest, TargetEntry
from prefillroute.router.router import Router
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.text.screen import Screen

NUM_TARGETS, NUM_MEMBERS, THREADS = 20, 5, 2
SIZES = {
    "smollm2_135m, 2 blocks of 576 -> 100": (2, 576, 100),
    "smollm2_135m, 8 blocks of 576 -> 100": (8, 576, 100),
    "qwen35_122b, 8 blocks of 3,072 -> 300": (8, 3072, 300),
}
LIMIT_MS = 1.0
ENCODER = Reading("encoder", "encoder")


def make_router(num_blocks: int, hidden: int, dim: int) -> Router:
    """A router of random weights: `num_blocks` blocks of `hidden` -> `dim`, the shipped head, Platt, token costs."""
    rng = np.random.default_rng(0)
    blocks = tuple(Block(ENCODER.name, (layer,), "last", dim) for layer in range(1, num_blocks + 1))
    signal = PrefillSignal(Single(ENCODER.name))
    signal.transform_ = BlockTransform(
        blocks,
        tuple(rng.standard_normal(hidden, dtype=np.float32) for _ in blocks),
        tuple(rng.standard_normal((hidden, dim), dtype=np.float32) / np.float32(hidden**0.5) for _ in blocks),
    )
    signal.num_features_ = num_blocks * dim
    signal.layout_ = Layout(signal.num_features_)
    head = SharedTrunkNet(signal.layout_, NUM_TARGETS, num_members=NUM_MEMBERS)
    names = tuple(f"target{number}" for number in range(NUM_TARGETS))
    calibrator, cost = PlattCalibrator(), TokenCost()
    calibrator.refit({"slope_": np.ones(NUM_TARGETS), "offset_": np.zeros(NUM_TARGETS)})
    terms = ("price_in_", "price_out_", "completion_tokens_", "overhead_", "slope_")
    cost.refit(
        {
            "targets_": names,
            "cost_range_": (1e-6, 1e-2),
            "observed_": np.full(NUM_TARGETS, np.nan),
            **{term: np.linspace(0.1, 10, NUM_TARGETS) for term in terms},
        }
    )
    manifest = Manifest(
        models=(),
        counter=ENCODER,
        columns={},
        targets=tuple(TargetEntry(TargetConfig(name=name)) for name in names),
        predictor={},
        calibration={},
        cost={},
        policy={},
        single=None,
        correct_threshold=0.5,
        fingerprint={},
        metrics={},
        weights_bytes=0,
        weights_sha256="",
        written_by="benchmark",
    )
    nothing = GoldenVectors(RecordedReadings(0), np.empty(0), np.empty(0))
    parts = Parts(manifest, SinglePredictor(signal, head), calibrator, cost, LambdaPolicy(0.3), nothing)
    return Router(parts, LiveModels((), Path("benchmark")))


def seconds_per_query(router: Router, num_blocks: int, hidden: int, repeats: int) -> np.ndarray:
    """(repeats,) wall seconds of scores and decision on one new query each."""
    rng = np.random.default_rng(0)
    queries = [
        RecordedReadings(
            1,
            cells={
                ENCODER: {
                    (layer, "last"): rng.standard_normal((1, hidden), dtype=np.float32)
                    for layer in range(1, num_blocks + 1)
                }
            },
            num_layers={ENCODER: num_blocks},
            tokens={ENCODER: np.array([120])},
        )
        for _ in range(32)
    ]
    times = []
    for number in range(repeats + 20):
        start = time.perf_counter()
        router.decide(router.score(queries[number % 32]))
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
        times = 1e3 * seconds_per_query(make_router(blocks, hidden, dim), blocks, hidden, arguments.repeats)
        wanted = f"under {LIMIT_MS:g} ms" if number == 0 else "stated only"
        table.add_row(name, f"{np.median(times):.3f}", f"{np.percentile(times, 95):.3f}", wanted)
    Screen().table(table)


if __name__ == "__main__":
    main()
