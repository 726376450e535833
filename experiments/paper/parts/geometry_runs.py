"""Section 7's findings about layers and probes as pairs of trained runs on the same test queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.paper.asked import Asked
from experiments.paper.parts.geometry_cells import DIM, PROBED, Cells
from prefillroute.text.hints import hydra_value

LIGHT = ("report=false", "bundle=false", "evaluation.num_resamples=0")
"""Only the predictions of these runs are read."""
DIMS = (100, 200, 300)
"""PCA dimensions that a single block may have; cross-validation takes one of them."""
PEAKS = ("d_eff", "fisher_j", "auc")
"""Scores whose peaks are put side by side."""
MLP = (
    "head=independent_mlp", "head.hidden=[64]", "head.dropout=[0.3]", "trainer.num_members=1", "trainer.num_kept=1",
    "trainer.learning_rate=1e-3",
)  # fmt: skip
"""One small net per target, as logistic regression is one model per target."""


@dataclass(frozen=True)
class Question:
    """Two runs whose difference answers a question."""

    finding: str
    """What `a` does in place of `b`, in words."""
    a: str
    b: str
    """Names of runs."""


@dataclass(frozen=True)
class Trained:
    """The runs of one encoder."""

    folders: dict[str, Path]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    """What they read, and which question could not be asked."""


def train_pairs(asked: Asked, cells: Cells) -> Trained:
    """Train the runs of one encoder; ones that finished earlier are kept.

    Args:
        asked: the study.
        cells: what was measured on the training rows, which alone decides what the runs read.

    Raises:
        UserError: a run failed.
    """
    encoder = cells.encoder
    pooling, peaks = peak_layers(cells)
    best = peaks["auc"]
    apart = sorted(set(peaks.values()))
    folders: dict[str, Path] = {}

    def run(name: str, *overrides: str) -> str:
        own = ("signal=prefill", "mode=single", f"encoder={encoder}", *overrides, *LIGHT)
        folders[name] = asked.run(name, *own)
        return name

    def block(layers: Sequence[int]) -> tuple[str, ...]:
        return (
            "layers=concat", f"layers.layers=[{','.join(map(str, layers))}]", "layers.count=null",
            f"layers.poolings=[{hydra_value(pooling)}]", f"layers.dims=[{','.join(map(str, DIMS))}]",
            "layers.permutations=0",
        )  # fmt: skip

    fisher = ("layers=fisher", "layers.layers=all", f"layers.dim={DIM}", "layers.permutations=0")
    trunk = "head=shared_trunk"
    probed = run(f"layers-probe-{encoder}", trunk, *PROBED)
    by_fisher = run(f"layers-fisher-{encoder}", trunk, *fisher)
    logistic = run(f"block-logistic-{encoder}", "head=logistic", *block([best]))
    mlp = run(f"block-mlp-{encoder}", *MLP, *block([best]))
    alone = run(f"block-trunk-{encoder}", trunk, *block([best]))
    questions = [
        Question("layers by Fisher J, not by the probe", by_fisher, probed),
        Question("MLP, not logistic regression", mlp, logistic),
        Question("SharedTrunkNet, not logistic regression", alone, logistic),
    ]
    said = ", ".join(f"{_words(name)} at layer {layer}" for name, layer in peaks.items())
    notes = [f"{encoder}: within {pooling} pooling the means over targets peak: {said}."]
    if len(apart) > 1:
        together = run(f"peaks-trunk-{encoder}", trunk, *block(apart))
        layers = "+".join(map(str, apart))
        questions.append(Question(f"layers {layers} side by side, not layer {best} alone", together, alone))
    else:
        notes.append(f"{encoder}: all metrics peak at one layer, so there is nothing to put side by side.")
    return Trained(folders, tuple(questions), tuple(notes))


def peak_layers(cells: Cells) -> tuple[str, dict[str, int]]:
    """The pooling of the cell with the greatest mean AUC, and the layer at which each of `PEAKS` is greatest in it.

    Some target has an AUC.
    """
    pooling = str(cells.pooling[int(np.nanargmax(cells.mean("auc")))])
    inside = np.flatnonzero(cells.pooling == pooling)
    peaks = {name: int(cells.layer[inside[int(np.nanargmax(cells.mean(name)[inside]))]]) for name in PEAKS}
    return pooling, peaks


def _words(name: str) -> str:
    return {"d_eff": "d_eff", "fisher_j": "J", "auc": "AUC"}[name]
