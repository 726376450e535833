"""How well one layer's activations tell which queries each target answers: cross-validated AUC and Fisher J.

N = rows, H = width, P = PCA dimensions, T = targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from prefillroute.errors import UserError
from prefillroute.probes.fisher import fisher_j
from prefillroute.probes.geometry import anisotropy, effective_dimension
from prefillroute.probes.logistic import fit_logistic
from prefillroute.probes.pca import fit_scaled_pca
from prefillroute.probes.roc_auc import batched_roc_auc
from prefillroute.probes.rows import GroupedRows


@dataclass(frozen=True)
class LayerProbe:
    """The scores of one activation matrix; NaN wherever they have no meaning (one class, or nothing varies)."""

    dims: tuple[int, ...]
    """PCA dimensions, ascending; fewer than asked for where rows or width do not allow them."""
    auc: np.ndarray
    """(P, T) mean ROC-AUC over held-out folds that have both classes."""
    fisher_j: np.ndarray
    """(T,) on PCA features of the fixed dimension."""
    fisher_j_permuted: np.ndarray
    """(T,) the same on shuffled labels."""
    d_eff: float
    anisotropy: float


def probe_layer(
    activations: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray | None,
    *,
    dims: Sequence[int] = (),
    regularisation: float = 1.0,
    fisher_dim: int | None = None,
    permutations: int = 20,
    seed: int = 0,
    tolerance: float = 5e-6,
    device: str = "cpu",
) -> LayerProbe:
    """Probe `activations` (N, H) for `labels` (N, T) of 0, 1 or NaN.

    With `folds` (N,) and `dims`, each fold has one scaler and one PCA, fitted inside it and shared by all targets; each
    dimension takes its leading columns, and an L2 logistic regression on them gets a ROC-AUC on the fold held out.
    With `fisher_dim`, Fisher J is computed on that many components. `tolerance` of the regressions is in nats per
    training row: 5e-6 moves an AUC by 1e-5 on thousands of rows.
    """
    assert len(activations) == len(labels), (activations.shape, labels.shape)
    cells = np.zeros(len(activations), dtype=np.int64) if folds is None else folds
    assert len(cells) == len(labels), (cells.shape, labels.shape)
    rows = GroupedRows(activations, cells, device)
    everything = list(range(len(rows.slices)))
    moments = rows.moments(everything)
    dims = usable_dims(dims, activations.shape[1], len(activations) - _largest(cells) if dims else 0)
    wanted = max([*dims, fisher_dim or 1])
    whole = fit_scaled_pca(moments, wanted, dtype=torch.float32)
    num_targets = labels.shape[1]
    auc = np.full((len(dims), num_targets), np.nan)
    separability = np.full((2, num_targets), np.nan)
    if not whole.constant:
        if dims:
            scores = _fold_aucs(rows, labels, dims, whole.components, regularisation, tolerance)
            auc = _mean_over_folds(scores)
        if fisher_dim is not None:
            projected = rows.project(everything, whole.mean, whole.matrix[:, :fisher_dim])
            fisher = fisher_j(projected, labels[rows.order], permutations=permutations, seed=seed)
            separability = np.stack([fisher.observed, fisher.permuted])
    return LayerProbe(
        dims=dims,
        auc=auc,
        fisher_j=separability[0],
        fisher_j_permuted=separability[1],
        d_eff=float("nan") if whole.constant else effective_dimension(moments.covariance),
        anisotropy=anisotropy(activations),
    )


def usable_dims(dims: Sequence[int], width: int, rows: int) -> tuple[int, ...]:
    """`dims`, ascending and distinct, reduced to what `width` columns and `rows` rows allow."""
    return tuple(sorted({max(1, min(dim, width, rows - 1)) for dim in dims}))


def check_folds(folds: np.ndarray, num_rows: int) -> None:
    """Reject fold ids that are not one per row, or fewer than two folds."""
    if folds.shape != (num_rows,):
        raise UserError(f"folds: expected one fold id for each of {num_rows} rows, found shape {folds.shape}")
    if len(np.unique(folds)) < 2 or folds.min() < 0:
        raise UserError(
            f"folds: expected at least two folds numbered from 0, found fold ids {np.unique(folds).tolist()}"
        )


def _fold_aucs(
    rows: GroupedRows,
    labels: np.ndarray,
    dims: tuple[int, ...],
    start: torch.Tensor,
    regularisation: float,
    tolerance: float,
) -> np.ndarray:
    """(K, P, T) ROC-AUC on each held-out fold; `start` is a guess of the principal subspace, for wide layers."""
    truth = torch.from_numpy(labels[rows.order]).to(rows.centred)
    out = []
    for held_out, part in enumerate(rows.slices):
        train = [c for c in range(len(rows.slices)) if c != held_out]
        pca = fit_scaled_pca(rows.moments(train), dims[-1], start=start, dtype=torch.float32)
        features = rows.project(train, pca.mean, pca.matrix)
        train_truth = torch.cat([truth[: part.start], truth[part.stop :]])
        fit = fit_logistic(
            features,
            train_truth,
            regularisation=regularisation,
            dims=dims,
            tolerance=tolerance * len(features),
        )
        logits = fit.logits(rows.project([held_out], pca.mean, pca.matrix)).cpu().numpy()
        scores = batched_roc_auc(logits, truth[part].cpu().numpy())
        solvable = ((train_truth == 1).any(0) & (train_truth == 0).any(0)).cpu().numpy()
        out.append(np.where(solvable, scores, np.nan))
    return np.stack(out)


def _mean_over_folds(scores: np.ndarray) -> np.ndarray:
    """(P, T) mean of (K, P, T) over the folds where the score is defined; NaN where it never is."""
    defined = ~np.isnan(scores)
    total = np.where(defined, scores, 0.0).sum(0)
    with np.errstate(invalid="ignore"):
        return np.where(defined.any(0), total / np.maximum(defined.sum(0), 1), np.nan)


def _largest(cells: np.ndarray) -> int:
    """Number of rows of the largest fold."""
    return int(np.bincount(cells).max(initial=0))
