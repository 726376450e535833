"""Turns ensemble logits into the confidence table: calibrated, with costs, and out-of-fold where there are folds.

N = training rows, P = calibration and test rows, M = targets.
"""

import logging

import numpy as np
import torch

from prefillroute.calibration.contract import Calibrator
from prefillroute.calibration.cross_fit import cross_fitted
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.modules.fit import FittedHead
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.predictors.contract import Logits
from prefillroute.routing.table import ConfidenceTable
from prefillroute.training.data import RunData
from prefillroute.training.features import Features
from prefillroute.training.groups import Groups

log = logging.getLogger(__name__)


def predict_logits(fitted: FittedHead, features: Features, groups: Groups) -> Logits:
    """Predict every training row by its own fold's group, and the other rows by the final fit."""
    predict = ensemble_logits(fitted.final, torch.from_numpy(features.predict)[None])[0]
    out_of_fold = None
    if groups.out_of_fold:
        z = fitted.logits(torch.from_numpy(features.train))
        owner = groups.held_out.argmax(axis=0)
        assert groups.held_out.any(axis=0).all(), "every training row is held out once"
        out_of_fold = z.numpy().astype(np.float64)[owner, np.arange(len(owner))]
    return Logits(out_of_fold, predict.numpy().astype(np.float64))


def calibrate(calibrator: Calibrator, logits: Logits, data: RunData) -> tuple[np.ndarray, np.ndarray]:
    """Fit a calibrator on rows that the nets have not seen.

    These are the calibration part or, without one, the out-of-fold rows of the training part. Calibrators that follow
    single rows are cross-fitted for the rows that they learned from, with duplicates always together. A calibration
    part that consists of one query and its duplicates cannot be cross-fitted: it is calibrated by a calibrator that has
    seen it, with a warning.

    Returns:
        Confidences of those rows, and of the test rows.
    """
    num_calibration, groups = len(data.split.calibration), data.groups
    if num_calibration:
        z, rows = logits.predict[:num_calibration], data.split.calibration
        folds = groups.calibration_folds
    else:
        assert logits.out_of_fold is not None
        z, rows, folds = logits.out_of_fold, groups.rows, groups.folds
    correct = data.outcomes.correct[rows]
    calibrator.fit(z, correct)
    crossing = calibrator.cross_fit and _enough_folds(len(np.unique(folds)), len(np.unique(groups.folds)))
    own = cross_fitted(calibrator, z, correct, folds) if crossing else calibrator.transform(z)
    return own, calibrator.transform(logits.predict[num_calibration:])


def _enough_folds(found: int, wanted: int) -> bool:
    """Whether calibrators can be cross-fitted; logs what happens if there are fewer folds than requested."""
    if found == 1:
        log.warning(
            "the calibration part is one query and its duplicates, so the calibrator is not cross-fitted: "
            "its confidences on these rows are too optimistic; a larger split.calibration_size fixes that"
        )
    elif found < wanted:
        log.warning(
            "few distinct calibration queries: cross-fitted over %d folds instead of %d", found, wanted
        )
    return found > 1


def make_table(
    calibrator: Calibrator,
    logits: Logits,
    data: RunData,
    cost: CostModel,
    query_tokens: np.ndarray | None,
    router_cost_usd: np.ndarray | None = None,
) -> ConfidenceTable:
    """Calibrate, and combine all parts of the data into one table.

    Args:
        calibrator, cost: unfitted calibrator and fitted cost model.
        logits: of all rows.
        data: the run's rows.
        query_tokens: (Q,) by the encoder's tokenizer; None without an encoder.
        router_cost_usd: (Q,) USD of reading each query; None counts nothing.
    """
    outcomes, groups = data.outcomes, data.groups
    own, test = calibrate(calibrator, logits, data)
    confidence = np.concatenate([own, test])
    if len(data.split.calibration):
        train = np.full((len(groups.rows), len(outcomes.targets)), np.nan)
        confidence = np.concatenate([train, confidence])
    order = np.concatenate([groups.rows, data.predict_rows])
    names = data.split.names(len(outcomes)).astype(str)
    tokens = None if query_tokens is None else query_tokens[order]
    return ConfidenceTable(
        query_id=outcomes.queries["query_id"].to_numpy(dtype=object)[order],
        split=np.where(names == "train", "train_oof", names)[order],
        benchmark=outcomes.queries["benchmark"].to_numpy(dtype=object)[order],
        targets=outcomes.targets,
        confidence=confidence,
        cost_usd=cost.estimate(len(order), tokens, outcomes.prompt_tokens[order]),
        realised_cost_usd=cost.realised(outcomes)[order],
        correct=outcomes.correct[order],
        correct_threshold=outcomes.correct_threshold,
        router_cost_usd=None if router_cost_usd is None else router_cost_usd[order],
    )
