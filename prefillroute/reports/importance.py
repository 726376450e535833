"""Which choices of a study mattered: the share of an objective's variance that each one explains by itself."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.ensemble import RandomForestRegressor

FEW_TRIALS = 10
"""With fewer trials nothing is estimated."""
NUM_TREES = 64

# T = trials, K = objectives, V = distinct values of a choice


def main_effects(choices: Sequence[Mapping[str, str]], values: np.ndarray) -> dict[str, list[float]]:
    """First-order effects by fANOVA, over the combinations that were tried.

    A random forest is fitted to the trials. The effect of a choice is the variance of what the forest predicts for each
    of its values, averaged over everything else that was tried, divided by the variance over all trials and values.

    Args:
        choices: T mappings, key -> what was chosen; numbers where all values of a key are numbers, else names.
        values: (T, K) objectives.

    Returns:
        Key -> its K shares, between 0 and 1 each, the most important for the first objective first. Empty if there are
        fewer than `FEW_TRIALS` trials, or if an objective does not vary.

    Example:
        >>> rows = [{"width": str(n % 2), "rate": str(n)} for n in range(20)]
        >>> effects = main_effects(rows, np.array([[n % 2] for n in range(20)]))
        >>> effects["width"][0] > 0.9 > 0.1 > effects["rate"][0]
        True
    """
    if len(choices) < FEW_TRIALS or (np.ptp(values, axis=0) == 0).any():
        return {}
    keys = [key for key in choices[0] if all(key in row for row in choices)]
    blocks = {key: _encoded([row[key] for row in choices]) for key in keys}
    features = np.hstack(list(blocks.values()))
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    columns = {
        key: slice(end - block.shape[1], end) for (key, block), end in zip(blocks.items(), ends, strict=True)
    }
    shares = []
    for objective in np.asarray(values, dtype=np.float64).T:
        scaled = (objective - objective.mean()) / objective.std()
        forest = RandomForestRegressor(NUM_TREES, random_state=0, n_jobs=1).fit(features, scaled)
        shares.append({key: _effect(forest, features, columns[key]) for key in keys})
    order = sorted(keys, key=lambda key: -shares[0][key])
    return {key: [share[key] for share in shares] for key in order}


def _effect(forest: RandomForestRegressor, features: np.ndarray, columns: slice) -> float:
    """The variance of the averages over V values, each weighted by how often it was tried, over the whole variance."""
    distinct, counts = np.unique(features[:, columns], axis=0, return_counts=True)
    predicted = np.empty((len(distinct), len(features)))
    for number, value in enumerate(distinct):
        changed = features.copy()
        changed[:, columns] = value
        predicted[number] = forest.predict(changed)
    weights = counts / counts.sum()
    mean = weights @ predicted.mean(axis=1)
    whole = weights @ ((predicted - mean) ** 2).mean(axis=1)
    return float(weights @ (predicted.mean(axis=1) - mean) ** 2 / whole) if whole else 0.0


def _encoded(texts: Sequence[str]) -> np.ndarray:
    """(T, 1) numbers, or (T, V) of zeros and ones for names."""
    try:
        return np.array([[float(text)] for text in texts])
    except ValueError:
        names = sorted(set(texts))
        return np.array([[float(text == name) for name in names] for text in texts])
