"""Turns a run's fitted parts into its router bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.calibration.contract import Calibrator
from prefillroute.digest import digest
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.predictors.contract import Prediction
from prefillroute.readings.cached import CachedReadings
from prefillroute.readings.contract import Reading
from prefillroute.router.golden import NUM_ROWS, GoldenVectors
from prefillroute.router.policies import settled
from prefillroute.router.save import save_bundle
from prefillroute.routing.guard import LambdaChoice
from prefillroute.routing.policies.contract import Policy
from prefillroute.routing.table import ConfidenceTable
from prefillroute.training.data import RunData


def write_router(
    path: Path,
    *,
    prediction: Prediction,
    calibrator: Calibrator,
    cost: CostModel,
    data: RunData,
    readings: CachedReadings,
    table: ConfidenceTable,
    policy: Policy,
    choice: LambdaChoice | None,
    metrics: Mapping[str, Any],
) -> None:
    """Save the bundle of a run; its last test rows are the golden vectors.

    Args:
        path: folder to write.
        prediction: the trained predictor and its logits.
        calibrator, cost: the fitted calibrator and cost model.
        data: the run's rows.
        readings: readings of all rows of the outcome table.
        table: the run's confidences; it ends with the rows of `data.predict_rows`, as the logits do.
        policy: policy of the run.
        choice: the run's choice of lambda, for a policy that leaves it open.
        metrics: content of metrics.json.

    Raises:
        UserError: the disk is full or not writable, or the bundle does not reproduce the run's values.
    """
    last = np.arange(len(data.predict_rows))[-NUM_ROWS:]
    golden = GoldenVectors.take(
        prediction.predictor,
        readings.select(data.predict_rows[last]),
        prediction.logits.predict[last],
        table.confidence[-len(last) :],
    )

    def model(reading: Reading) -> tuple[Any, CacheIdentity]:
        opened = readings.library.open(reading)
        return opened.facts, opened.identity

    default, single = settled(policy, choice, table.targets)
    save_bundle(
        path,
        predictor=prediction.predictor,
        calibrator=calibrator,
        cost=cost,
        policy=default,
        single=single,
        targets=data.targets,
        models=model,
        golden=golden,
        correct_threshold=table.correct_threshold,
        fingerprint={
            "num_training_queries": int((table.split == "train_oof").sum()),
            "num_test_queries": int((table.split == "test").sum()),
            "data_key": digest(
                {
                    "queries": table.query_id.tolist(),
                    "split": table.split.tolist(),
                    "targets": list(table.targets),
                },
                table.correct,
            ),
        },
        metrics={key: value for key, value in metrics["test"].items() if not isinstance(value, dict | list)},
    )
