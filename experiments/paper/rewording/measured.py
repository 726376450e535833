"""What a router says live of texts, and how that differs from what it says of others."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from prefillroute.router.router import Router
from prefillroute.routing.comparison import compare
from prefillroute.routing.contest import Contest
from prefillroute.routing.lambda_sweep import GRID_SIZE
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.routing.table import ConfidenceTable

# N = texts, M = targets

Difference = tuple[float, float, float]
"""A value and the ends of its 95 % interval."""


@dataclass(frozen=True)
class Shift:
    """How confidences, choices and quality differ between two ways to write the same queries."""

    name: str
    num_texts: int
    mean: float
    """Mean change of a confidence, without sign."""
    most: float
    """Its 95th percentile."""
    greatest: float
    moved_lambda0: float
    """Share of the queries that go to another target at lambda 0."""
    moved_chosen: float
    """The same at the chosen lambda."""
    auc: Difference
    """Mean AUC, variant less original."""
    accuracy_lambda0: Difference
    accuracy_chosen: Difference

    def row(self) -> dict[str, Any]:
        """Plain values, for a table."""
        row = asdict(self)
        for key in ("auc", "accuracy_lambda0", "accuracy_chosen"):
            row[key], row[f"{key}_low"], row[f"{key}_high"] = row[key]
        return row


@dataclass(frozen=True)
class Live:
    """A router that reads texts in place of queries of its run."""

    router: Router
    run: ConfidenceTable
    queries: pd.DataFrame
    """Of the table's rows, in order."""

    def read(self, rows: np.ndarray, texts: list[str]) -> ConfidenceTable:
        """Confidences and costs of texts (N), each in place of the query of its row; calibration rows come along."""
        columns = {name: self.queries[name].iloc[rows].tolist() for name in self.router.columns}
        decisions = self.router.route(texts, policy=LambdaPolicy(0.0), columns=columns)
        confidence, cost = (
            np.array([[getattr(each, field)[target] for target in self.router.targets] for each in decisions])
            for field in ("confidence", "cost_usd")
        )
        return self.table(rows, confidence, cost)

    def table(self, rows: np.ndarray, confidence: np.ndarray, cost_usd: np.ndarray) -> ConfidenceTable:
        """Calibration rows of the run, and test rows (N) with these confidences and costs (N, M)."""
        kept = np.flatnonzero(self.run.split == "calibration")
        base = self.run.select(np.concatenate([kept, rows]))
        return replace(
            base,
            confidence=np.concatenate([base.confidence[: len(kept)], confidence]),
            cost_usd=np.concatenate([base.cost_usd[: len(kept)], cost_usd]),
        )

    @staticmethod
    def part(table: ConfidenceTable, texts: np.ndarray) -> ConfidenceTable:
        """The same with some of the N texts only."""
        test = np.flatnonzero(table.split == "test")
        return table.select(np.concatenate([np.flatnonzero(table.split != "test"), test[texts]]))


def shift(
    name: str, plain: ConfidenceTable, variant: ConfidenceTable, router: Router, num_resamples: int
) -> Shift:
    """Compare tables of the same queries, made by `Live`.

    Args:
        name: of the variant.
        plain: as the queries were.
        variant: as they are written now.
        router: for the range of its costs.
        num_resamples: of the differences.
    """
    cost_range = router.cost.cost_range_
    change = np.abs(variant.part("test").confidence - plain.part("test").confidence)
    before, after = (
        Contest.prepare(each, GRID_SIZE, cost_range, guard=0).router for each in (plain, variant)
    )
    assert before.at_chosen is not None, "calibration rows come along"
    assert after.at_chosen is not None, "calibration rows come along"
    moved = (
        before.at_lambda0.target != after.at_lambda0.target,
        before.at_chosen.target != after.at_chosen.target,
    )
    found = compare(variant, plain, num_resamples=num_resamples, cost_range=cost_range, guard=0)

    def difference(key: str) -> Difference:
        low, high = found["intervals"].get(key) or (None, None)
        values = [np.nan if each is None else float(each) for each in (found["difference"][key], low, high)]
        return values[0], values[1], values[2]

    return Shift(
        name=name,
        num_texts=len(change),
        mean=float(change.mean()),
        most=float(np.quantile(change, 0.95)),
        greatest=float(change.max()),
        moved_lambda0=float(moved[0].mean()),
        moved_chosen=float(moved[1].mean()),
        auc=difference("mean_auc"),
        accuracy_lambda0=difference("routed_accuracy_lambda0"),
        accuracy_chosen=difference("routed_accuracy"),
    )


def padding_error(live: Live, rows: np.ndarray, texts: Sequence[str], num_texts: int) -> float:
    """Greatest change of a confidence between a text read alone and read together with longer ones.

    Args:
        live: the router.
        rows: (N,) rows of the texts.
        texts: N texts.
        num_texts: how many of them are read, from the shortest to the longest.
    """
    by_length = np.argsort([len(text) for text in texts], kind="stable")
    picked = by_length[np.unique(np.linspace(0, len(texts) - 1, min(num_texts, len(texts))).astype(int))]
    together = live.read(rows[picked], [texts[row] for row in picked]).part("test").confidence
    alone = [live.read(rows[[row]], [texts[row]]).part("test").confidence for row in picked]
    return float(np.abs(np.concatenate(alone) - together).max())
