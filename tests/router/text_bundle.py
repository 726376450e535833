"""A bundle that needs no model: logistic regression on the text of a few made-up queries."""

from pathlib import Path

import numpy as np
import torch

from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.config.facts import TargetConfig
from prefillroute.heads.logistic import LogisticHead
from prefillroute.outcomes.costs.observed import ObservedCost
from prefillroute.predictors.single import SinglePredictor
from prefillroute.readings.recorded import RecordedReadings
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.save import save_bundle
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.signals.contract import Fitting
from prefillroute.signals.text import TextSignal

NUM_QUERIES = 40


def write_text_bundle(folder: Path) -> Path:
    """`small` answers every second query, the shorter ones; `large` answers all, and costs a hundred times as much."""
    prompts = [f"add {i} and {i + 1}" if i % 2 else f"prove {i} lemmas, one by one. " * 5 for i in range(40)]
    readings = RecordedReadings(NUM_QUERIES, {"prompt": np.array(prompts, dtype=object)})
    correct = np.stack([np.arange(NUM_QUERIES) % 2, np.ones(NUM_QUERIES)], axis=1)
    everyone = np.ones((1, NUM_QUERIES), dtype=bool)
    signal = TextSignal()
    features = signal.fit_transform(readings, Fitting(everyone, correct, np.arange(NUM_QUERIES)))
    head = LogisticHead(signal.layout_, num_targets=2, c_grid=[1.0])
    masks = torch.from_numpy(everyone)
    head.fit(torch.from_numpy(features), torch.from_numpy(correct).float(), masks, masks)
    predictor = SinglePredictor(signal, head)
    logits = predictor.logits(readings)
    calibrator = PlattCalibrator().fit(logits, correct)
    cost = ObservedCost()
    cost.refit(
        {"targets_": ("small", "large"), "cost_range_": (1e-5, 1e-3), "observed_": np.array([1e-5, 1e-3])}
    )
    few = readings.select(np.arange(4))
    return save_bundle(
        folder,
        predictor=predictor,
        calibrator=calibrator,
        cost=cost,
        policy=LambdaPolicy(0.0),
        targets=[TargetConfig(name="small"), TargetConfig(name="large")],
        models=lambda reading: (None, None),
        golden=GoldenVectors.take(predictor, few, logits[:4], calibrator.transform(logits[:4])),
        correct_threshold=0.5,
        fingerprint={},
        metrics={},
    )
