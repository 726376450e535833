"""Fisher separability J of every target at once (DESIGN 5, equation 13), together with J on shuffled labels.

N = rows, D = features, T = targets.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FisherJ:
    """Separability of the two classes of each target; NaN where a target has one class or no feature varies."""

    observed: np.ndarray
    """(T,) J."""
    permuted: np.ndarray
    """(T,) mean J over shuffled labels: the value of J when there is nothing to separate."""


def fisher_j(features: Tensor, labels: np.ndarray, *, permutations: int = 20, seed: int = 0) -> FisherJ:
    """Compute J = tr(S_w^-1 S_b) of `features` (N, D) for `labels` (N, T) of 0, 1 or NaN (left out).

    S_b = pi1 pi0 (mu1 - mu0)(mu1 - mu0)^T. S_w is the covariance about the class means (and so weighted by class),
    with Ledoit-Wolf shrinkage by scikit-learn's formula. Targets that miss the same rows are solved together in the
    eigenbasis of the total covariance, where S_w is a diagonal minus a rank-one matrix and J has a closed form.

    Example:
        >>> features, labels = torch.tensor([[0.0], [1.0], [4.0], [5.0]]), np.array([[0.0], [0.0], [1.0], [1.0]])
        >>> fisher_j(features, labels, permutations=0).observed.round(3)
        array([16.])
    """
    observed_rows = ~np.isnan(labels)
    if observed_rows.all():
        patterns, pattern_of = observed_rows[:, :1], np.zeros(labels.shape[1], dtype=np.int64)
    else:
        patterns, pattern_of = np.unique(observed_rows, axis=1, return_inverse=True)
    values = np.full((1 + permutations, labels.shape[1]), np.nan)
    for number, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(pattern_of.ravel() == number)
        count = int(pattern.sum())
        if count < 2:
            continue
        rows = features if count == len(pattern) else features[torch.from_numpy(pattern)]
        rows = rows - rows.mean(0)
        spectrum, axes = torch.linalg.eigh((rows.T @ rows).double() / count)
        if spectrum[-1] <= 0:
            continue
        rows = rows @ axes.to(rows)
        classes = torch.from_numpy(labels[np.ix_(pattern, columns)]).to(rows)
        rng = np.random.default_rng(seed)
        norms = rows.square().sum(1)  # (n,)
        for draw in range(1 + permutations):
            shuffled = classes if draw == 0 else classes[torch.from_numpy(rng.permutation(count))]
            values[draw, columns] = _separability(rows, norms, spectrum.clamp_min(0), shuffled).cpu().numpy()
    permuted = values[1:].mean(0) if permutations else np.full(labels.shape[1], np.nan)
    return FisherJ(values[0], permuted)


def _separability(rows: Tensor, norms: Tensor, spectrum: Tensor, classes: Tensor) -> Tensor:
    """J (T,) float64 of centred `rows` (n, D) with diagonal covariance `spectrum` (D,), for `classes` (n, T)."""
    count, width = rows.shape
    ones = classes.sum(0).double()
    zeros = count - ones
    share = (ones / count) * (zeros / count)  # pi1 pi0
    # Rows are centred, so mu1 = (n0 / n) gap and mu0 = -(n1 / n) gap.
    gap = (rows.T @ classes).double() * count / (ones * zeros)  # (D, T) mu1 - mu0
    along = rows @ gap.to(rows)  # (n, T)
    size = gap.square().sum(0)
    fourth = torch.zeros_like(ones)  # sum over rows of |row - mu_class|^4
    for members, number, step in ((classes, ones, zeros / count), (1 - classes, zeros, -ones / count)):
        squares = (members.T @ norms.square()).double()
        cross = (along.square() * members).sum(0).double() * step.square()
        mixed = (along * norms[:, None] * members).sum(0).double() * step
        linear = (along * members).sum(0).double() * step
        offset = step.square() * size
        fourth += squares + 4 * cross + number * offset.square() - 4 * mixed
        fourth += 2 * offset * (members.T @ norms).double() - 4 * offset * linear
    trace = spectrum.sum() - share * size
    frobenius = (
        spectrum.square().sum()
        - 2 * share * (gap.square() * spectrum[:, None]).sum(0)
        + share.square() * size.square()
    )
    average = trace / width
    beta = (fourth / count - frobenius) / (width * count)
    delta = (frobenius - 2 * average * trace + width * average.square()) / width
    shrinkage = torch.where(delta > 0, torch.minimum(beta, delta).clamp_min(0) / delta, 0.0)
    diagonal = (1 - shrinkage) * spectrum[:, None] + shrinkage * average  # (D, T)
    reach = (gap.square() / diagonal).sum(0)
    return share * reach / (1 - (1 - shrinkage) * share * reach)  # Sherman-Morrison
