"""Turns a run's fitted parts into its router bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.reader import CacheView
from prefillroute.calibration.contract import Calibrator
from prefillroute.config.facts import EncoderConfig
from prefillroute.digest import digest
from prefillroute.layers.source import RowSubset
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.router.golden import NUM_ROWS, GoldenVectors
from prefillroute.router.save import save_bundle
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.table import ConfidenceTable
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.training.data import RunData
from prefillroute.training.predictors import Prediction


def write_router(
    path: Path,
    *,
    prediction: Prediction,
    calibrator: Calibrator,
    cost: CostModel,
    data: RunData,
    encoder: EncoderConfig,
    activations: tuple[CacheView, CacheIdentity],
    table: ConfidenceTable,
    policy: Policy,
    choice: LambdaChoice | None,
    metrics: Mapping[str, Any],
) -> None:
    """Save the bundle of a prefill run; the last calibration or test rows are its golden vectors."""
    signal, fitted, logits = prediction.signal, prediction.fitted, prediction.logits
    assert isinstance(signal, PrefillSignal), "only prefill runs have a bundle"
    assert signal.transform_ is not None
    assert fitted is not None
    view, identity = activations
    predict_rows = data.predict_rows
    last = np.arange(len(predict_rows))[-NUM_ROWS:]
    golden = GoldenVectors.take(
        RowSubset(view, predict_rows[last]),
        signal.transform_.blocks,
        np.arange(len(last)),
        logits.predict[last],
        # The table and `logits.predict` end with the same rows.
        table.confidence[-len(last) :],
    )
    save_bundle(
        path,
        transform=signal.transform_,
        head=fitted.final,
        calibrator=calibrator,
        cost=cost,
        targets=data.targets,
        encoders=[(encoder, identity)],
        golden=golden,
        policy=policy,
        choice=choice,
        correct_threshold=table.correct_threshold,
        fingerprint={
            "num_training_queries": int((table.split == "train_oof").sum()),
            "num_test_queries": int((table.split == "test").sum()),
            "outcomes_sha256": digest(
                {"queries": table.query_id.tolist(), "split": table.split.tolist()}, table.correct
            ),
        },
        metrics={key: value for key, value in metrics["test"].items() if not isinstance(value, dict | list)},
    )
