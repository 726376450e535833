"""Columns with heavy tails, made comparable: each value becomes the normal score of its rank."""

from typing import Self

import numpy as np
from sklearn.preprocessing import QuantileTransformer

from prefillroute.spec import Stored

MAX_QUANTILES = 200
BOUND = 3.0


class NormalScores(Stored):
    """Transforms every column by its quantiles to a standard normal, clipped to +-BOUND.

    A column that was constant when it was fitted becomes 0.
    """

    quantiles_: np.ndarray
    """(n, D) float64: the quantiles, in ascending order in each column."""
    varies_: np.ndarray
    """(D,) bool: which columns were not constant when fitted."""

    def fit(self, values: np.ndarray) -> Self:
        """Learn the quantiles of `values` (N, D), finite, with N >= 1. All rows are used; none are sampled."""
        assert len(values), "normal scores of no rows"
        self.varies_ = values.min(0) < values.max(0)
        count = min(MAX_QUANTILES, len(values))
        self.quantiles_ = _transformer(count).fit(values.astype(np.float64)).quantiles_
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Normal scores (N, D) float32 in [-BOUND, BOUND]; values outside the fitted range get the bound."""
        count, width = self.quantiles_.shape
        transformer = _transformer(count)
        # scikit-learn computes on the stored arrays, because its own objects cannot be stored without pickle.
        transformer.quantiles_, transformer.references_ = self.quantiles_, np.linspace(0, 1, count)
        transformer.n_quantiles_, transformer.n_features_in_ = count, width
        scores = transformer.transform(values.astype(np.float64)).clip(-BOUND, BOUND)
        return np.where(self.varies_, scores, 0.0).astype(np.float32)


def _transformer(count: int) -> QuantileTransformer:
    return QuantileTransformer(n_quantiles=count, output_distribution="normal", subsample=None)
