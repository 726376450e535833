"""One run, from outcomes to report and bundle: read `train_router` as a table of contents."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig

from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import EncoderConfig, PathsConfig, PoolConfig
from prefillroute.data.folded import FoldedData
from prefillroute.modules.fit import fit_head
from prefillroute.outcomes.pool import load_pool
from prefillroute.reports.report import write_report
from prefillroute.routing.evaluation import evaluate
from prefillroute.training.activations import open_activations, query_tokens
from prefillroute.training.bundle import write_router
from prefillroute.training.confidences import make_table, predict_logits
from prefillroute.training.features import LayerChooser, make_features
from prefillroute.training.groups import make_groups
from prefillroute.training.launch import job
from prefillroute.training.results import print_headline, write_results
from prefillroute.training.timings import Timings
from prefillroute.training.tracking import log_metrics, tracking

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """`python train.py`: one job, in Hydra's run folder."""
    job(lambda folder: train_router(config, folder))


def train_router(config: DictConfig, folder: Path) -> None:
    """Train, calibrate and evaluate a router; leave the run folder of DESIGN section 6.

    Raises:
        UserError: for what is missing or wrong in configuration, outcomes or cache.
    """
    pool, encoder, paths = (
        fact(config.pool, PoolConfig), fact(config.encoder, EncoderConfig), fact(config.paths, PathsConfig)
    )  # fmt: skip
    pl.seed_everything(config.seed, verbose=False)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    timings = Timings()

    with timings("outcomes"):
        targets, outcomes = load_pool(
            pool.targets,
            pool.outcomes,
            pool.exclude,
            pool.correct_threshold,
            pool.max_queries,
            pool.import_hint,
        )
        split = build(config.split, seed=config.seed).split(outcomes)
        groups = make_groups(outcomes, split, config.num_folds, config.validation_size, config.seed)
        predict_rows = np.concatenate([split.calibration, split.test])
    log.info(
        "%s: %d targets; %d training, %d calibration, %d test queries",
        pool.name, len(targets), len(split.train), len(split.calibration), len(split.test),
    )  # fmt: skip

    with timings("features"):
        signal = build(config.signal)
        view = identity = chooser = None
        if signal.needs_activations:
            view, identity = open_activations(Path(paths.caches), encoder, pool, outcomes)
            memo = Path(paths.caches) / "layer_choices"
            chooser = LayerChooser(config.layers, view, identity, memo, config.seed)
        features = make_features(
            signal, outcomes, groups, predict_rows, view, chooser, config.nested_layers, config.seed
        )

    settings = build(config.trainer)
    data = FoldedData(
        features=torch.from_numpy(features.train),
        correct=torch.from_numpy(outcomes.correct[groups.rows].astype(np.float32)),
        train=torch.from_numpy(groups.train),
        valid=torch.from_numpy(groups.valid),
    )
    head = build(
        config.head,
        in_features=data.features.shape[2],
        num_targets=len(targets),
        num_groups=data.num_groups,
        num_members=settings.num_members,
        seed=config.seed,
    )
    with tracking(config.logger, folder, config, [pool.name, encoder.name, type(head).__name__]) as logger:
        with timings("head"):
            fitted = fit_head(
                head, data, settings, seed=config.seed, logger=logger, checkpoint_dir=folder / "checkpoints"
            )
            logits = predict_logits(fitted, features, groups)

        with timings("evaluation"):
            tokens = query_tokens(view)
            cost = build(config.cost).fit(outcomes, split.train, targets, tokens)
            calibrator = build(config.calibration)
            table = make_table(calibrator, logits, outcomes, split, groups, predict_rows, cost, tokens)
            evaluation = evaluate(table, **config.evaluation, seed=config.seed)
            log_metrics(logger, evaluation.metrics["test"])

    write_results(folder, table, evaluation, features.choice, calibrator, timings)
    if view is not None and identity is not None and not config.nested_layers:
        write_router(
            folder / "router", features=features, fitted=fitted, calibrator=calibrator, cost=cost, targets=targets,
            encoder=encoder, identity=identity, view=view, predict_rows=predict_rows, logits=logits, table=table,
            policy=build(config.policy), metrics=evaluation.metrics,
        )  # fmt: skip
    print_headline(evaluation, write_report(folder))
    # The nets live on in the bundle; sixty of them with optimiser states are half a gigabyte.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
