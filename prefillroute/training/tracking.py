"""One logger per job, opened and closed here, because otherwise a second job in a process would log into the first."""

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger, WandbLogger

from prefillroute.config.build import build
from prefillroute.errors import UserError
from prefillroute.text import hints


@contextmanager
def tracking(node: DictConfig, folder: Path, config: DictConfig, tags: list[str]) -> Iterator[Logger]:
    """Open the chosen logger under ``folder``/logs, give it the resolved configuration, and close it at the end.

    Args:
        node: the choice of the group `logger`, a Lightning logger.
        folder: run folder.
        config: the run's configuration; it is resolved and logged as plain values.
        tags: tags for W&B.

    Raises:
        UserError: the logger's package is not installed.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    is_wandb = str(node.get("_target_", "")).endswith("WandbLogger")
    # The same folder gives the same id, so that a requeued job continues its own W&B run.
    run_id = hashlib.sha1(str(folder.resolve()).encode()).hexdigest()[:8]
    extra = {"id": run_id, "resume": "allow", "tags": tags, "dir": str(logs)} if is_wandb else {}
    try:
        logger: Logger = build(node, save_dir=str(logs), **extra)
    except (ModuleNotFoundError, ImportError) as error:
        raise UserError(f"logger: {error}; run {hints.install('tracking')}") from error
    try:
        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        with warnings.catch_warnings():
            # A resumed run rewrites its CSV file, including the epochs before the resume, so nothing is lost.
            warnings.filterwarnings("ignore", message="Experiment logs directory")
            logger.log_hyperparams({str(key): value for key, value in plain.items()})
        yield logger
    except BaseException:
        _close(logger, "failed")
        raise
    else:
        _close(logger, "success")


def log_metrics(logger: Logger, metrics: Mapping[str, Any]) -> None:
    """Log the numbers of one section of metrics.json (without nulls and names) as ``test/<name>``."""
    numbers = {f"test/{k}": float(v) for k, v in metrics.items() if isinstance(v, int | float)}
    if isinstance(logger, WandbLogger):
        logger.experiment.summary.update(numbers)
    logger.log_metrics(numbers)
    logger.save()


def _close(logger: Logger, status: str) -> None:
    logger.finalize(status)
    if isinstance(logger, WandbLogger):
        logger.experiment.finish(exit_code=0 if status == "success" else 1)
