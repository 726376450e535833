"""The geometry of every layer and pooling of an encoder, on training rows, and how it agrees with the probe's AUC.

C = cells (layer x pooling), T = targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from experiments.paper.asked import Asked
from prefillroute.config.build import build
from prefillroute.config.compose import fact
from prefillroute.config.facts import EncoderConfig, PathsConfig
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.readings.contract import Reading
from prefillroute.signals.contract import Probe
from prefillroute.training.features import RememberedScores
from prefillroute.training.shared import Shared
from prefillroute.training.workshop import RunWorkshop

DIM = 100
"""PCA dimensions of J and of the probe, so that both see the same features."""
PERMUTATIONS = 5
"""Label shuffles behind the permuted J; a run has 20, which moves its mean over targets in the third digit."""
PROBED = (
    "layers=cv_probe", "layers.layers=all", f"layers.dims=[{DIM}]", f"layers.fisher_dim={DIM}",
    f"layers.permutations={PERMUTATIONS}",
)  # fmt: skip
"""Overrides of a run that probes every layer."""
GEOMETRY = {"fisher_j": "Fisher J", "d_eff": "d_eff", "isotropy": "isotropy"}
"""Scores that the paper takes to tell good layers, the greater the better, and their names; isotropy is minus the
anisotropy."""


@dataclass(frozen=True)
class Cells:
    """What was measured at each layer and pooling of an encoder."""

    encoder: str
    depth: int
    """Number of blocks L."""
    targets: tuple[str, ...]
    layer: np.ndarray
    """(C,)"""
    pooling: np.ndarray
    """(C,) str."""
    auc: np.ndarray
    """(C, T) cross-validated AUC of logistic regression; NaN where undefined, as are the others."""
    fisher_j: np.ndarray
    """(C, T)"""
    fisher_j_permuted: np.ndarray
    """(C, T)"""
    d_eff: np.ndarray
    """(C,)"""
    anisotropy: np.ndarray
    """(C,)"""

    @classmethod
    def of_frame(cls, encoder: str, depth: int, targets: Sequence[str], frame: pd.DataFrame) -> "Cells":
        """From the columns of layers.parquet; of several PCA dimensions a cell takes its best AUC."""
        grouped = frame.groupby(["layer", "pooling", "target"], sort=False).agg(
            {"auc": "max", "fisher_j": "first", "fisher_j_permuted": "first", "d_eff": "first", "anisotropy": "first"}
        )  # fmt: skip
        cells = list(dict.fromkeys(zip(frame["layer"], frame["pooling"], strict=True)))
        order = pd.MultiIndex.from_tuples(
            [(*cell, target) for cell in cells for target in targets], names=grouped.index.names
        )
        shape = len(cells), len(targets)
        columns = {
            name: grouped[name].reindex(order).to_numpy(dtype=float).reshape(shape)
            for name in grouped.columns
        }
        return cls(
            encoder, depth, tuple(targets),
            np.array([layer for layer, _ in cells]), np.array([pooling for _, pooling in cells], dtype=object),
            columns["auc"], columns["fisher_j"], columns["fisher_j_permuted"],
            columns["d_eff"][:, 0], columns["anisotropy"][:, 0],
        )  # fmt: skip

    def score(self, name: str) -> np.ndarray:
        """(C, T) of one of `GEOMETRY`, or `auc`."""
        if name in ("auc", "fisher_j"):
            found: np.ndarray = getattr(self, name)
            return found
        own = self.d_eff if name == "d_eff" else -self.anisotropy
        # where nothing varies there is nothing to choose, although all rows then point the same way
        own = np.where(np.isnan(self.d_eff), np.nan, own)
        return np.repeat(own[:, None], len(self.targets), axis=1)

    def mean(self, name: str) -> np.ndarray:
        """(C,) mean of a score over the targets that have it in some cell; NaN where one of them lacks it."""
        values = self.score(name)
        return mean_or_nan(values[:, ~np.isnan(values).all(axis=0)])

    def name(self, cell: int) -> str:
        """``20 last``."""
        return f"{self.layer[cell]} {self.pooling[cell]}"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per cell: the geometry, and J and AUC as means over targets."""
        return pd.DataFrame(
            {
                "encoder": self.encoder,
                "layer": self.layer,
                "depth": self.layer / self.depth,
                "pooling": self.pooling,
                "d_eff": self.d_eff,
                "anisotropy": self.anisotropy,
                "fisher_j": self.mean("fisher_j"),
                "fisher_j_permuted": mean_or_nan(self.fisher_j_permuted[:, self.scored]),
                "auc": self.mean("auc"),
            }
        )

    @property
    def scored(self) -> np.ndarray:
        """(T,) bool: targets with an AUC and a J in some cell, that is, with both classes in training."""
        return ~np.isnan(self.auc).all(axis=0) & ~np.isnan(self.fisher_j).all(axis=0)


def probe_cells(asked: Asked, encoder: str) -> Cells:
    """Probe every layer and pooling on the training rows of the pool's runs, from the encoder's cache.

    Probes are kept beside the cache like those of a run, so that a study that was stopped goes on where it was, and a
    run that probes the same layers takes them from there.

    Raises:
        UserError: there is no cache, or it lacks queries.
    """
    config = asked.config("signal=prefill", "mode=single", f"encoder={encoder}", *PROBED)
    data, groups = asked.data, asked.data.groups
    workshop = RunWorkshop(config, data, Shared())
    facts, caches = fact(config.encoder, EncoderConfig), Path(fact(config.paths, PathsConfig).caches)
    score = RememberedScores(workshop.readings.select(groups.rows), caches / "layer_scores")
    chooser: LayerChooser = build(config.layers)
    task = ProbeTask(data.outcomes.labels[groups.rows], groups.folds, data.outcomes.targets, config.seed)
    table = score(chooser, Reading("encoder", facts.name), Probe(np.arange(len(groups.rows)), task))
    return Cells.of_frame(encoder, facts.num_layers, table.targets, table.frame)


@dataclass(frozen=True)
class Agreement:
    """How a geometric score agrees with the probe's AUC, target by target, among those that have both classes."""

    correlation: np.ndarray
    """(T,) Spearman's rank correlation over cells; NaN where undefined, as are the others."""
    own: np.ndarray
    """(T,) the cell that the score would choose; -1 where there is none."""
    best: np.ndarray
    """(T,) the cell with the greatest AUC; -1 where there is none."""
    lost: np.ndarray
    """(T,) AUC of the best cell minus AUC of the score's cell."""

    @property
    def same(self) -> int:
        """On how many targets the score's cell is the best one."""
        return int(((self.own == self.best) & (self.best >= 0)).sum())


def agreement(score: np.ndarray, auc: np.ndarray) -> Agreement:
    """Hold a score (C, T), of which the greatest is chosen, against the probe's AUC (C, T).

    Example:
        >>> found = agreement(np.array([[1.0], [3.0], [2.0]]), np.array([[0.5], [0.6], [0.7]]))
        >>> found.correlation.round(3), found.own, found.best, found.lost.round(3)
        (array([0.5]), array([1]), array([2]), array([0.1]))
    """
    own, best = _peaks(np.where(np.isnan(auc), np.nan, score)), _peaks(auc)
    targets = np.arange(auc.shape[1])
    lost = np.where((own < 0) | (best < 0), np.nan, auc[best, targets] - auc[own, targets])
    correlation = [rank_correlation(score[:, target], auc[:, target]) for target in targets]
    return Agreement(np.array(correlation, dtype=float), own, best, lost)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of (C,) with (C,) over the places where both are known.

    NaN below three such places, or where one of the two is constant.
    """
    known = ~np.isnan(a) & ~np.isnan(b)
    if known.sum() < 3 or not np.ptp(a[known]) or not np.ptp(b[known]):
        return float("nan")
    return float(spearmanr(a[known], b[known]).statistic)


def over_targets(values: np.ndarray, num_resamples: int) -> tuple[float, tuple[float, float] | None]:
    """Mean of (T,) over the targets that have a value, with a 95 % bootstrap interval over these targets.

    The interval is None below two targets, and without resamples.
    """
    known = values[~np.isnan(values)]
    if len(known) < 2 or num_resamples == 0:
        return (float(known.mean()) if len(known) else float("nan")), None
    draws = np.concatenate(list(resample_weights(len(known), num_resamples, seed=0)))
    return float(known.mean()), interval(draws @ known / len(known))


def mean_or_nan(values: np.ndarray) -> np.ndarray:
    """(C,) means of (C, T); NaN without targets."""
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)


def _peaks(scores: np.ndarray) -> np.ndarray:
    """(T,) the cell with the greatest score, the first of equals; -1 where all are NaN."""
    known = ~np.isnan(scores).all(axis=0)
    out = np.full(scores.shape[1], -1)
    out[known] = np.nanargmax(scores[:, known], axis=0)
    return out
