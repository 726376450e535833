"""Made-up queries in memory, with all that a signal may read, and the fitting of a signal on them."""

from dataclasses import dataclass, field

import numpy as np

from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.table import ProbeTable
from prefillroute.readings.contract import Reading
from prefillroute.readings.recorded import RecordedReadings
from prefillroute.signals.contract import Fitting, Probe, Score, Signal

MODEL = "toy"
"""Name of the encoder, of the embedder and of the language model."""
TARGETS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Queries:
    """N queries; what a test leaves out is not there."""

    prompts: np.ndarray | None = None
    categories: np.ndarray | None = None
    benchmarks: np.ndarray | None = None
    embedding: np.ndarray | None = None
    """(N, d) float32"""
    perplexity: np.ndarray | None = None
    """(N, 5) float32"""
    activations: dict[str, np.ndarray] = field(default_factory=dict)
    """Pooling to (N, layers, H) float32."""
    correct: np.ndarray | None = None
    """(N, M)"""
    duplicates: np.ndarray | None = None
    """(N,)"""

    @property
    def readings(self) -> RecordedReadings:
        columns = {"prompt": self.prompts, "category": self.categories, "benchmark": self.benchmarks}
        columns = {
            name: np.asarray(values, dtype=object) for name, values in columns.items() if values is not None
        }
        cells: dict[Reading, dict[tuple[int, str], np.ndarray]] = {}
        if self.embedding is not None:
            cells[Reading("embedder", MODEL)] = {(0, "embedding"): self.embedding}
        if self.perplexity is not None:
            cells[Reading("language_model", MODEL)] = {(0, "perplexity"): self.perplexity}
        if self.activations:
            cells[Reading("encoder", MODEL)] = {
                (layer, pooling): stack[:, layer]
                for pooling, stack in self.activations.items()
                for layer in range(stack.shape[1])
            }
        known = [*columns.values(), *(array for cell in cells.values() for array in cell.values())]
        depths = {reading: max(layer for layer, _ in own) for reading, own in cells.items()}
        return RecordedReadings(len(known[0]), columns, cells, depths)

    def fitting(self, masks: np.ndarray, nested: bool = False) -> Fitting:
        """Fit on these queries, with layers chosen on the rows of group 0, or of each group."""
        count = masks.shape[1]
        correct = np.zeros((count, 1)) if self.correct is None else self.correct
        duplicates = np.arange(count) if self.duplicates is None else self.duplicates
        labels = np.where(np.isnan(correct), np.nan, correct >= 0.5)
        targets = TARGETS[: correct.shape[1]]
        probes = []
        for mask in masks if nested else masks[:1]:
            rows = np.flatnonzero(mask)
            probes.append(Probe(rows, ProbeTask(labels[rows], np.arange(len(rows)) % 3, targets)))
        return Fitting(masks, correct, duplicates, probes=tuple(probes), score=plain_score(self.readings))


def plain_score(readings: RecordedReadings) -> Score:
    def score(chooser: LayerChooser, reading: Reading, probe: Probe) -> ProbeTable:
        return chooser.score(readings.select(probe.rows).source(reading), probe.task)

    return score


def fit(signal: Signal, queries: Queries, masks: np.ndarray, nested: bool = False) -> np.ndarray:
    """Features (G, N, D)."""
    return signal.fit_transform(queries.readings, queries.fitting(masks, nested))
