"""One run, from outcomes to report and bundle; `train_router` reads as a table of contents."""

import logging
import shutil
from pathlib import Path

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from threadpoolctl import threadpool_limits

from prefillroute import threads
from prefillroute.caches.commands import run_words, with_own_facts
from prefillroute.config.build import build
from prefillroute.config.unread import unread_groups
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.configuration import CONFIGURATION
from prefillroute.jobs.job import run_job
from prefillroute.jobs.progress import JobProgress
from prefillroute.modules.one_process import first_rank
from prefillroute.outcomes.costs.prefill import check_prefill_cost
from prefillroute.outcomes.files import outcome_folder
from prefillroute.predictors.contract import Recipe
from prefillroute.reports.report import write_report
from prefillroute.reports.run_folder import has_metrics
from prefillroute.routing.evaluation import evaluate
from prefillroute.training.bundle import write_router
from prefillroute.training.confidences import make_table
from prefillroute.training.data import data_key, load_data
from prefillroute.training.measuring import evaluation_settings, router_cost
from prefillroute.training.objectives import find_objectives, read_objectives
from prefillroute.training.results import print_headline, write_results
from prefillroute.training.shared import Shared
from prefillroute.training.timings import Timings
from prefillroute.training.trackers.contract import RunSources
from prefillroute.training.tracking import tracking
from prefillroute.training.workshop import RunWorkshop

log = logging.getLogger(__name__)

_SHARED = Shared()
"""Jobs of a sweep that run one after another in one process find each other's work here."""


def run(config: DictConfig) -> float | list[float] | None:
    """Run one job of `prefillroute train` in Hydra's run folder.

    Returns:
        The values of `objectives`, which its results are read back for: see `read_objectives`.
    """
    run_job(
        config,
        lambda folder: _train(config, folder),
        has_metrics,
        lambda message: with_own_facts(message, run_words(HydraConfig.get())),
    )
    return read_objectives(Path(HydraConfig.get().runtime.output_dir), config.objectives)


def _train(config: DictConfig, folder: Path) -> list[Path]:
    train_router(config, folder, _SHARED)
    return [folder / "metrics.json"]


def use_threads(count: int) -> None:
    """Make torch and every loaded BLAS and OpenMP use `count` threads from now on.

    Raises:
        UserError: `count` is below 1.
    """
    if count < 1:
        raise UserError(f"threads: expected 1 or more, or null, found {count}")
    torch.set_num_threads(count)
    threadpool_limits(count)


def train_router(config: DictConfig, folder: Path, shared: Shared | None = None) -> None:
    """Train, calibrate and evaluate a router; write the run folder of DESIGN section 6.

    Args:
        config: the run's configuration.
        folder: the run folder to write.
        shared: work of earlier jobs of the same sweep; this job's work is added to it.

    Raises:
        UserError: something is missing or wrong in configuration, outcomes or cache.
    """
    shared = shared or Shared()
    pl.seed_everything(config.seed, verbose=False)
    use_threads(threads.allowed() if config.threads is None else config.threads)
    timings = Timings()
    policy = build(config.policy)  # refuses invalid values before anything is trained
    find_objectives(config.objectives)
    check_prefill_cost(**config.evaluation.router_cost)

    with timings("outcomes"):
        data = shared.data.get(data_key(config), lambda: load_data(config))
    split = data.split
    log.info(
        "%s: %d targets; %d training, %d calibration, %d test queries",
        data.pool.name, len(data.targets), len(split.train), len(split.calibration), len(split.test),
    )  # fmt: skip

    unread = unread_groups(config)
    if unread:
        log.info("not read by this predictor: %s", ", ".join(unread))
    write_text(folder / CONFIGURATION / "unused.yaml", OmegaConf.to_yaml({"unused": unread}))
    recipe: Recipe = build(config.predictor)
    with first_rank(), tracking(config, folder, unread) as tracker:
        workshop = RunWorkshop(
            config, data, shared, tracker.logger, folder / "checkpoints", JobProgress(folder)
        )
        prediction = recipe.train(workshop)
        timings.add(prediction.seconds)

        with timings("evaluation"):
            tokens = workshop.query_tokens(prediction.predictor)
            cost = build(config.cost).fit(data.outcomes, split.train, data.targets, tokens)
            calibrator = build(config.calibration)
            reading = router_cost(config, tokens)
            table = make_table(calibrator, prediction.logits, data, cost, tokens, reading)
            evaluation = evaluate(table, **evaluation_settings(config), seed=config.seed)
            tracker.measured(evaluation.metrics["test"])

        write_results(
            folder,
            table,
            evaluation,
            prediction.choice,
            calibrator,
            timings,
            prediction.fits,
            prediction.work,
        )
        obstacles = workshop.obstacles(prediction.predictor) if config.bundle else []
        for obstacle in obstacles:
            log.warning("no router bundle is written: %s", obstacle)
        if config.bundle and not obstacles:
            write_router(
                folder / "router", prediction=prediction, calibrator=calibrator, cost=cost, data=data,
                readings=workshop.readings, table=table, policy=policy, choice=evaluation.choice,
                metrics=evaluation.metrics,
            )  # fmt: skip
        report = write_report(folder) if config.report else None
        outcomes = outcome_folder(data.pool.outcomes)
        tracker.wrote(lambda: RunSources(data.pool.name, outcomes, workshop.caches(prediction.predictor)))
    print_headline(evaluation, report)
    # The bundle keeps the nets, and sixty checkpoints with optimiser states take half a gigabyte.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
