"""Toy encoders, a task, and the choosers of conf/layers with sizes that fit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from hydra.utils import get_class

from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.source import ArraySource

CONF = Path(__file__).parents[2] / "conf" / "layers"
CHOOSERS = sorted(path.stem for path in CONF.glob("*.yaml"))


@dataclass(frozen=True)
class Toy:
    source: ArraySource
    task: ProbeTask
    latent: np.ndarray
    """(N, width): what the labels depend on."""

    def other_encoder(
        self,
        name: str = "other",
        strengths: Sequence[float] = (0.3, 1.2, 0.5),
        width: int = 16,
        noise: float = 1.0,
        seed: int = 1,
    ) -> ArraySource:
        """Activations of the same rows by an encoder of another depth and width; layer k of both poolings knows
        `strengths[k]` of the latent.
        """
        rng = np.random.default_rng(seed)
        seen = self.latent @ rng.normal(size=(self.latent.shape[1], width))
        pooled = {
            pooling: np.stack(
                [strength * share * seen + noise * rng.normal(size=seen.shape) for strength in strengths],
                axis=1,
            ).astype(np.float32)
            for pooling, share in (("last", 0.7), ("mean", 1.0))
        }
        return ArraySource.from_stack(name, pooled)


def build_toy(num_rows: int = 500, width: int = 24, num_targets: int = 4, seed: int = 0) -> Toy:
    """An encoder of five layers: layer 3 of the mean pooling knows most, and layer 0 of `last` knows nothing."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(num_rows, width)) * np.arange(1, width + 1) ** -0.5
    logits = 1.5 * latent @ rng.normal(size=(width, num_targets))
    labels = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    pooled = {}
    for pooling, strength in (("last", (0, 0.2, 0.4, 0.6, 0.5)), ("mean", (0.1, 0.3, 0.6, 2.0, 0.8))):
        noise = rng.normal(size=(num_rows, 5, width))
        pooled[pooling] = np.stack([s * latent + noise[:, k] for k, s in enumerate(strength)], axis=1)
    pooled["last"][:, 0] = rng.normal(size=width)  # the last token's embedding is the same for every query
    source = ArraySource.from_stack("toy", {k: v.astype(np.float32) for k, v in pooled.items()})
    folds = rng.integers(0, 5, size=num_rows)
    return Toy(source, ProbeTask(labels, folds, tuple(f"target{t}" for t in range(num_targets))), latent)


def build_chooser(name: str, **overrides) -> LayerChooser:
    """An option of the group `layers`, with small dimensions."""
    node = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    chooser = get_class(node.pop("_target_"))
    given = {"poolings": ("last", "mean"), "dims": (4, 12), "dim": 12, "permutations": 2, "fisher_dim": 12}
    given = {key: value for key, value in given.items() if key in node} | overrides
    return chooser(**(node | given))
