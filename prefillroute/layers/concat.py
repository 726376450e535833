"""Several layers side by side as one block, reduced by one PCA: the newer recipe of NVIDIA's public toolkit."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.grid import LayerRange, resolve_layers, resolve_poolings
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable, Progress
from prefillroute.probes.layer_probe import check_folds, probe_layer


class Concat:
    """One block of `count` layers, evenly spread over `layers`, per pooling; each target takes its better pooling.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> labels, folds = (rows[1][:, :1] > 0).astype(float), np.arange(60) % 3
        >>> choice = Concat("all", None, ["mean"], dims=[3]).choose(source, labels, folds, ["a"])
        >>> [block.name for block in choice.blocks]
        ['toy/mean/1+2/pca3']
    """

    def __init__(
        self,
        layers: LayerRange = "upper",
        count: int | None = 4,
        poolings: Sequence[str] = ("mean",),
        dims: Sequence[int] = (200,),
        regularisation: float = 1.0,
        fisher_dim: int = 100,
        permutations: int = 20,
        device: str = "cpu",
    ) -> None:
        """A `count` of None takes every layer; for each pooling, the dimension with the best mean AUC wins."""
        if count is not None and count < 1:
            raise UserError(f"layers.count: expected at least 1, or null for every layer, found {count}")
        self.layers, self.count, self.poolings, self.dims = layers, count, tuple(poolings), tuple(dims)
        self._probe = partial(
            probe_layer,
            dims=self.dims,
            regularisation=regularisation,
            fisher_dim=fisher_dim,
            permutations=permutations,
            device=device,
        )

    def choose(
        self,
        source: ActivationSource,
        labels: np.ndarray,
        folds: np.ndarray,
        targets: Sequence[str],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> LayerChoice:
        """Probe the block of each pooling; the table lists it under its deepest layer."""
        check_folds(folds, len(labels))
        layers = resolve_layers(self.layers, source)
        if self.count is not None and self.count < len(layers):
            picks = np.linspace(0, len(layers) - 1, self.count).round().astype(int)
            layers = tuple(layers[i] for i in sorted(set(picks.tolist())))
        poolings = resolve_poolings(self.poolings, source)
        table, chosen = ProbeTable(targets), []
        for number, pooling in enumerate(poolings):
            probe = self._probe(
                np.concatenate([source.read(layer, pooling) for layer in layers], axis=1),
                labels,
                folds,
                seed=seed,
            )
            table.add(source.encoder, layers, pooling, probe, probe.dims)
            scored = ~np.isnan(probe.auc).any(0)
            if scored.any():
                best = int(np.argmax(probe.auc[:, scored].mean(1)))
                chosen.append(len(table.blocks) - len(probe.dims) + best)
            if progress is not None:
                progress(number + 1, len(poolings), f"layers {'+'.join(map(str, layers))} {pooling}")
        scores = np.full_like(table.auc, np.nan)
        scores[chosen] = table.auc[chosen]
        return choose_blocks(table.blocks, scores, targets, len(poolings), table.frame(), table.notes)
