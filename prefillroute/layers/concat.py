"""Several layers side by side as one block, reduced by one PCA: the newer recipe of NVIDIA's public toolkit."""

from collections.abc import Sequence

import numpy as np

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.grid import LayerRange, resolve_layers, resolve_poolings
from prefillroute.layers.selection import choose_blocks
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Probed, ProbeTable, Progress
from prefillroute.probes.layer_probe import LayerProbe, check_folds


class Concat(LayerChooser):
    """One block of `count` layers, evenly spread over `layers`, per pooling; each target takes its better pooling.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask((rows[1][:, :1] > 0).astype(float), np.arange(60) % 3, ("a",))
        >>> choice = Concat("all", None, ["mean"], dims=[3]).choose(source, task)
        >>> [block.name for block in choice.blocks]
        ['toy/mean/1+2/pca3']
    """

    rated_by = "auc"

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
        self.regularisation, self.fisher_dim = regularisation, fisher_dim
        self.permutations, self.device = permutations, device

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Probe the block of each pooling; the table lists it under its deepest layer."""
        check_folds(task.folds, len(task.labels))
        layers = resolve_layers(self.layers, source)
        if self.count is not None and self.count < len(layers):
            picks = np.linspace(0, len(layers) - 1, self.count).round().astype(int)
            layers = tuple(layers[i] for i in sorted(set(picks.tolist())))
        poolings = resolve_poolings(self.poolings, source)
        probed = []
        for number, pooling in enumerate(poolings):
            probe = self._probe(source, layers, pooling, task)
            probed.append(Probed(layers, pooling, probe.dims, probe))
            if progress is not None:
                progress(number + 1, len(poolings), f"layers {'+'.join(map(str, layers))} {pooling}")
        return ProbeTable.of_probes(source, task.targets, probed)

    def select(self, table: ProbeTable) -> LayerChoice:
        """The best dimension of each encoder and pooling on average, then each target's best of these blocks."""
        matrices: dict[tuple[str, str], list[int]] = {}
        for index, block in enumerate(table.blocks):
            matrices.setdefault((block.encoder, block.pooling), []).append(index)
        scores = np.full_like(table.auc, np.nan)
        for numbers in matrices.values():
            auc = table.auc[numbers]  # (dimensions, targets)
            scored = ~np.isnan(auc).any(0)
            if scored.any():
                best = int(np.argmax(auc[:, scored].mean(1)))
                scores[numbers[best]] = auc[best]
        return choose_blocks(table, scores, len(matrices))

    def _probe(
        self, source: ActivationSource, layers: Sequence[int], pooling: str, task: ProbeTask
    ) -> LayerProbe:
        return task.probe(
            f"layers {'+'.join(map(str, layers))} {pooling}",
            lambda: np.concatenate([source.read(layer, pooling) for layer in layers], axis=1),
            task.folds,
            dims=self.dims,
            regularisation=self.regularisation,
            fisher_dim=self.fisher_dim,
            permutations=self.permutations,
            device=self.device,
        )
