"""Different texts under one query id: a benchmark was revised between two runs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def most_frequent(ids: Sequence[str], text: np.ndarray) -> np.ndarray:
    """(texts,) bool: the text of its query id with the most outcomes; the first of equals.

    Args:
        ids: query id of each text.
        text: (outcomes,) int index into ``ids``.
    """
    count = np.bincount(text, minlength=len(ids))
    query = pd.factorize(np.array(ids, dtype=object))[0]
    order = np.lexsort((np.arange(len(count)), -count, query))
    first = np.ones(len(order), dtype=bool)
    first[1:] = query[order][1:] != query[order][:-1]
    kept = np.zeros(len(count), dtype=bool)
    kept[order[first]] = True
    return kept
