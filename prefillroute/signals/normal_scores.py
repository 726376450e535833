"""Columns with heavy tails, made comparable: each value becomes the normal score of its rank."""

from typing import Self

import numpy as np
from sklearn.preprocessing import QuantileTransformer

MAX_QUANTILES = 200
BOUND = 3.0


class NormalScores:
    """Quantile transform of every column to a standard normal, clipped to +-BOUND; a column that was constant
    when fitted becomes 0.
    """

    def __init__(self) -> None:
        self.quantiles_: QuantileTransformer | None = None
        self.varies_: np.ndarray | None = None

    def fit(self, values: np.ndarray) -> Self:
        """Learn the quantiles of `values` (N, D), N >= 1, finite. Nothing is drawn: all rows are used."""
        assert len(values), "normal scores of no rows"
        self.varies_ = values.min(0) < values.max(0)
        self.quantiles_ = QuantileTransformer(
            n_quantiles=min(MAX_QUANTILES, len(values)), output_distribution="normal", subsample=None
        ).fit(values.astype(np.float64))
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """(N, D) float32 in [-BOUND, BOUND]; values outside the fitted range get the bound."""
        assert self.quantiles_ is not None, "fit first"
        assert self.varies_ is not None, "fit first"
        scores = self.quantiles_.transform(values.astype(np.float64)).clip(-BOUND, BOUND)
        return np.where(self.varies_, scores, 0.0).astype(np.float32)
