"""What `prefillroute train`, `extract`, `embed` and `perplexity` do with the configuration of one job.

A launcher finds these functions by name on the machine where a job runs. The modules that do the work are imported
there, so that help and error messages need not load large libraries.
"""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from prefillroute.cli.dispatch import load
from prefillroute.cli.parsers.apps import ROOTS
from prefillroute.jobs.app import start


def train(config: DictConfig) -> Any:
    """Run one job from outcomes over features, head and calibration to metrics, report and bundle.

    Returns:
        What a sweeper that optimises wants: the values of `objectives` as the run folder has them, None without any.
    """
    return load("training.run").run(config)


def extract(config: DictConfig) -> None:
    """Run one job, which fills the activation cache of an encoder for the queries of a pool."""
    load("cli.fill").extract_activations(config)


def embed(config: DictConfig) -> None:
    """Run one job, which fills the cache of a sentence embedder for a pool's queries, or from a file of vectors."""
    load("cli.fill").embed_queries(config)


def perplexity(config: DictConfig) -> None:
    """Run one job, which fills the cache of a language model for the queries of a pool."""
    load("cli.fill").read_perplexity(config)


TASKS = {"train": train, "extract": extract, "embed": embed, "perplexity": perplexity}


def run(command: str, arguments: Sequence[str]) -> int:
    """Run a command with Hydra's arguments and return its exit status.

    Args:
        command: one of `TASKS`.
        arguments: Hydra's, and `--detach`: submit the jobs of a sweep and return.

    Raises:
        UserError: the configuration cannot be composed.
    """
    words = ["hydra.launcher.detach=true" if word == "--detach" else word for word in arguments]
    return start(command, ROOTS[command], TASKS[command], words)
