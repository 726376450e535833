"""`prefillroute train`, `extract`, `embed`, `perplexity`: what each does with one job's configuration.

A launcher finds these functions by name on the machine where a job runs. What does their work is imported there, so
that help and mistakes need no library of its size.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from prefillroute.cli.dispatch import load
from prefillroute.cli.parsers.apps import ROOTS
from prefillroute.jobs.app import start


def train(config: DictConfig) -> None:
    """One job: compose -> outcomes -> features -> head -> calibration -> metrics, report, bundle."""
    load("training.run").run(config)


def extract(config: DictConfig) -> None:
    """One job: an encoder over the queries of a pool -> its activation cache."""
    load("cli.fill").extract_activations(config)


def embed(config: DictConfig) -> None:
    """One job: a sentence embedder over the queries of a pool, or vectors from a file -> its cache."""
    load("cli.fill").embed_queries(config)


def perplexity(config: DictConfig) -> None:
    """One job: a language model over the queries of a pool -> its cache."""
    load("cli.fill").read_perplexity(config)


TASKS = {"train": train, "extract": extract, "embed": embed, "perplexity": perplexity}


def run(command: str, arguments: Sequence[str]) -> int:
    """Run a command with Hydra's arguments; returns its exit status.

    Raises:
        UserError: the configuration does not compose.
    """
    return start(command, ROOTS[command], TASKS[command], arguments)
