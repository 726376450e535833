"""The confidence table: the seam between predictors and everything that measures or uses them (DESIGN section 2)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefillroute.errors import UserError
from prefillroute.outcomes.agreement import agreement_classes

# N = queries, M = targets

SPLITS = ("train_oof", "calibration", "test")
ROUTER_COST = "router_cost_usd"
COLUMNS = ("query_id", "target", "split", "confidence", "cost_usd", "realised_cost_usd", "correct")


@dataclass(frozen=True)
class ConfidenceTable:
    """Calibrated confidences, costs and outcomes of queries x targets.

    Raises:
        UserError: a confidence is NaN or outside [0, 1], an estimated cost is NaN or negative, or an outcome is outside
            [0, 1]; the message names the query and the target. The confidences of all `train_oof` rows may be missing
            together, because no folds are trained when there is a calibration part.

    Example:
        >>> ids, split = np.array(["a", "b"], dtype=object), np.array(["test", "test"], dtype=object)
        >>> correct, cost = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
        >>> table = ConfidenceTable(ids, split, ids, ("small", "large"), 0.9 * correct, cost, cost, correct)
        >>> table.disagreement
        array([False,  True])
    """

    query_id: np.ndarray
    """(N,) str, without duplicates."""
    split: np.ndarray
    """(N,) one of SPLITS."""
    benchmark: np.ndarray
    """(N,) str."""
    targets: tuple[str, ...]
    """M names, in pool order."""
    confidence: np.ndarray
    """(N, M) P(correct)."""
    cost_usd: np.ndarray
    """(N, M) estimated USD."""
    realised_cost_usd: np.ndarray
    """(N, M) USD that the outcome actually cost, NaN = unknown."""
    correct: np.ndarray
    """(N, M) in [0, 1], NaN = missing."""
    correct_threshold: float = 0.5
    """Outcomes at or above it get the label 1."""
    router_cost_usd: np.ndarray | None = None
    """(N,) USD that reading a query costs, whatever target it goes to; None counts nothing."""

    def __post_init__(self) -> None:
        shape = (len(self.query_id), len(self.targets))
        for name in ("confidence", "cost_usd", "realised_cost_usd", "correct"):
            found = getattr(self, name).shape
            if found != shape:
                raise UserError(f"{name}: expected shape {shape}, queries x targets, found {found}")
        unknown = set(self.split.tolist()) - set(SPLITS)
        if unknown:
            raise UserError(
                f"split: expected one of {', '.join(SPLITS)}, found '{sorted(map(str, unknown))[0]}'"
            )
        if self.router_cost.shape != shape[:1]:
            raise UserError(f"router_cost_usd: expected {shape[0]} numbers, found {self.router_cost.shape}")
        if (wrong := ~(np.isfinite(self.router_cost) & (self.router_cost >= 0))).any():
            row = int(np.flatnonzero(wrong)[0])
            raise UserError(
                f"router_cost_usd of query '{self.query_id[row]}': expected a number of at least 0, found "
                f"{self.router_cost[row]}"
            )
        for name, values in (("query_id", self.query_id), ("target", np.array(self.targets, dtype=object))):
            repeated = pd.Series(values)[pd.Series(values).duplicated()]
            if len(repeated):
                raise UserError(
                    f"{name}: expected each value once, found '{repeated.iloc[0]}' more than once"
                )
        unpredicted = np.isnan(self.confidence).all(axis=1) & (self.split == "train_oof")
        no_folds = bool((unpredicted == (self.split == "train_oof")).all())
        judged = ~unpredicted[:, None] if no_folds else np.True_
        self._check(
            "confidence", ~((self.confidence >= 0) & (self.confidence <= 1)) & judged, "within [0, 1]"
        )
        self._check("cost_usd", ~(np.isfinite(self.cost_usd) & (self.cost_usd >= 0)), "of at least 0")
        self._check("correct", (self.correct < 0) | (self.correct > 1), "within [0, 1]")

    def _check(self, name: str, wrong: np.ndarray, expected: str) -> None:
        if wrong.any():
            row, target = np.argwhere(wrong)[0]
            where = f"query '{self.query_id[row]}', target '{self.targets[target]}'"
            raise UserError(
                f"{name} of {where}: expected a number {expected}, found {getattr(self, name)[row, target]}"
            )

    def __len__(self) -> int:
        return len(self.query_id)

    @property
    def router_cost(self) -> np.ndarray:
        """(N,) USD of reading each query; 0 where nothing is counted."""
        return np.zeros(len(self)) if self.router_cost_usd is None else self.router_cost_usd

    @property
    def labels(self) -> np.ndarray:
        """(N, M) of 0 and 1, NaN = missing."""
        return np.where(
            np.isnan(self.correct), np.nan, (self.correct >= self.correct_threshold).astype(float)
        )

    @property
    def complete(self) -> np.ndarray:
        """(N,) true for queries that have every target's outcome: global metrics use these rows."""
        return ~np.isnan(self.correct).any(axis=1)

    @property
    def disagreement(self) -> np.ndarray:
        """(N,) true for complete queries that some targets answer correctly and others do not."""
        return self.complete & (agreement_classes(self.labels) == "disagreement")

    def select(self, rows: np.ndarray) -> "ConfidenceTable":
        """Return a table of some rows, given as indices or as a mask."""
        return ConfidenceTable(
            self.query_id[rows],
            self.split[rows],
            self.benchmark[rows],
            self.targets,
            self.confidence[rows],
            self.cost_usd[rows],
            self.realised_cost_usd[rows],
            self.correct[rows],
            self.correct_threshold,
            None if self.router_cost_usd is None else self.router_cost_usd[rows],
        )

    def part(self, split: str) -> "ConfidenceTable":
        """Return a table of the rows of one split."""
        return self.select(self.split == split)

    def to_frame(self) -> pd.DataFrame:
        """Return the columns of predictions.parquet (DESIGN section 6), one row per query and target.

        What reading a query costs has a column of its own, `router_cost_usd`, only where it is counted.
        """
        num_queries, num_targets = self.confidence.shape
        read = {} if self.router_cost_usd is None else {ROUTER_COST: np.repeat(self.router_cost, num_targets)}
        return pd.DataFrame(
            {
                "query_id": np.repeat(self.query_id, num_targets),
                "target": np.tile(np.array(self.targets, dtype=object), num_queries),
                "split": np.repeat(self.split, num_targets),
                "confidence": self.confidence.ravel(),
                "cost_usd": self.cost_usd.ravel(),
                "realised_cost_usd": self.realised_cost_usd.ravel(),
                "correct": self.correct.ravel(),
                **read,
            }
        )

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, queries: pd.DataFrame, correct_threshold: float = 0.5
    ) -> "ConfidenceTable":
        """Build the table from predictions.parquet; queries and targets keep the order of their first appearance.

        Args:
            frame: the columns of `to_frame`, one row per query and target.
            queries: `query_id` and `benchmark` of at least these queries.
            correct_threshold: outcomes at or above it get the label 1.

        Raises:
            UserError: a column is missing, or a row is missing or duplicated.
        """
        for name in (name for name in COLUMNS if name not in frame.columns):
            raise UserError(f"predictions: expected the columns {', '.join(COLUMNS)}, found no '{name}'")
        query_row, query_ids = pd.factorize(frame["query_id"])
        target_column, targets = pd.factorize(frame["target"])
        shape = (len(query_ids), len(targets))
        count = np.bincount(query_row * shape[1] + target_column, minlength=shape[0] * shape[1])
        if (count != 1).any():
            row, column = divmod(int(np.flatnonzero(count != 1)[0]), shape[1])
            where = f"query '{query_ids[row]}', target '{targets[column]}'"
            raise UserError(f"predictions of {where}: expected 1 row, found {count[row * shape[1] + column]}")
        benchmark = queries.drop_duplicates("query_id").set_index("query_id")["benchmark"].reindex(query_ids)
        if benchmark.isna().any():
            name = benchmark.index[benchmark.isna()][0]
            raise UserError(f"query '{name}': expected its benchmark in the queries, found none")

        def gather(name: str) -> np.ndarray:
            values = np.empty(shape, dtype=float)
            values[query_row, target_column] = frame[name].to_numpy(dtype=float, na_value=np.nan)
            return values

        split = np.empty(shape[0], dtype=object)
        split[query_row] = frame["split"].to_numpy(dtype=object)
        return cls(
            query_ids.to_numpy(dtype=object),
            split,
            benchmark.to_numpy(dtype=object),
            tuple(targets),
            gather("confidence"),
            gather("cost_usd"),
            gather("realised_cost_usd"),
            gather("correct"),
            correct_threshold,
            gather(ROUTER_COST)[:, 0] if ROUTER_COST in frame.columns else None,
        )
