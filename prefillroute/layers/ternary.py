"""Ternary search over depth, as in NVIDIA's public toolkit, for comparison with the whole grid."""

from collections.abc import Callable, Sequence

import numpy as np

from prefillroute.layers.contract import ProbeTask
from prefillroute.layers.cv_probe import CVProbe
from prefillroute.layers.grid import resolve_layers, resolve_poolings
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import Probed, ProbeTable, Progress
from prefillroute.probes.layer_probe import LayerProbe, check_folds


class TernarySearch(CVProbe):
    """Per pooling, dimension and target, a ternary search over layers for the greatest cross-validated AUC.

    It assumes that AUC rises and then falls with depth, which noise and mixed block types violate. Two flaws of the
    toolkit are corrected: the best layer probed wins even if the search has moved away from it, and scaler and PCA are
    fitted inside each fold. A probe covers all targets and dimensions at once and is kept, so that searches share it.
    The arguments are those of the whole grid, `CVProbe`.

    Example:
        >>> from prefillroute.layers.source import ArraySource
        >>> rows = np.random.default_rng(0).normal(size=(2, 60, 4))
        >>> source = ArraySource("toy", 2, {(1, "mean"): rows[0], (2, "mean"): rows[1]})
        >>> task = ProbeTask((rows[1][:, :1] > 0).astype(float), np.arange(60) % 3, ("a",))
        >>> choice = TernarySearch("all", ["mean"], dims=[4]).choose(source, task)
        >>> [block.name for block in choice.blocks]
        ['toy/mean/2/pca4']
    """

    def score(
        self, source: ActivationSource, task: ProbeTask, progress: Progress | None = None
    ) -> ProbeTable:
        """Probe only the layers that some search asks for; the table has no others."""
        check_folds(task.folds, len(task.labels))
        layers, poolings = resolve_layers(self.layers, source), resolve_poolings(self.poolings, source)
        probes: dict[tuple[str, int], LayerProbe] = {}
        total = len(layers) * len(poolings)

        def probe(pooling: str, layer: int) -> LayerProbe:
            if (pooling, layer) not in probes:
                probes[pooling, layer] = self.probe(source, layer, pooling, task)
                if progress is not None:
                    progress(len(probes), total, f"layer {layer} {pooling}")
            return probes[pooling, layer]

        for pooling in poolings:
            num_dims = len(probe(pooling, layers[-1]).dims)
            for dim in range(num_dims):
                for target in range(len(task.targets)):
                    climb(layers, _score_of(probe, pooling, dim, target))
        probed = [
            Probed((layer,), pooling, found.dims, found)
            for (pooling, layer), found in sorted(probes.items(), key=lambda item: (item[0][1], item[0][0]))
        ]
        return ProbeTable.of_probes(source, task.targets, probed)


def _score_of(
    probe: Callable[[str, int], LayerProbe], pooling: str, dim: int, target: int
) -> Callable[[int], float]:
    return lambda layer: float(probe(pooling, layer).auc[dim, target])


def climb(layers: Sequence[int], score: Callable[[int], float]) -> int:
    """The best layer that a ternary search over `layers` visits; NaN scores count as worst.

    Example:
        >>> climb(range(9), lambda layer: -abs(layer - 6))
        6
    """
    met: dict[int, float] = {}

    def look(position: int) -> float:
        value = score(layers[position])
        met[position] = -np.inf if np.isnan(value) else value
        return met[position]

    low, high = 0, len(layers) - 1
    while high - low > 2:
        third = (high - low) // 3
        left, right = low + third, high - third
        if look(left) < look(right):
            low = left + 1
        else:
            high = right - 1
    for position in range(low, high + 1):
        look(position)
    return layers[max(met, key=lambda position: (met[position], -position))]
