"""Strata of splits and folds: benchmark x agreement class (DESIGN section 4, paper section 6.1)."""

import numpy as np
import pandas as pd

from prefillroute.outcomes.agreement import CLASSES, agreement_classes
from prefillroute.outcomes.stratified import merge_small
from prefillroute.outcomes.table import Outcomes

LEAST_ROWS = 10
"""Strata with fewer rows are merged."""


def strata(outcomes: Outcomes, rows: np.ndarray) -> np.ndarray:
    """Stratum of each of ``rows``: benchmark x agreement class, small ones merged; (len(rows),) int codes."""
    benchmark = pd.factorize(outcomes.queries["benchmark"].iloc[rows])[0]
    classes = pd.Categorical(agreement_classes(outcomes.labels[rows]), categories=list(CLASSES)).codes
    return merge_small(benchmark * len(CLASSES) + classes, benchmark, LEAST_ROWS)
