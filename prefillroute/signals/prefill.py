"""The paper's signal: PCA features of the chosen layers of one encoder's prefill, or of several encoders'."""

from collections.abc import Collection

import numpy as np

from prefillroute.errors import UserError
from prefillroute.heads.layout import Layout
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.features import SCALES, BlockTransform, fit_transform_groups
from prefillroute.layers.source import ActivationSource
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.contract import Mode
from prefillroute.readings.contract import Reading, Readings
from prefillroute.signals.contract import Fitting, Probe, Signal


class PrefillSignal(Signal):
    """The blocks of a layer choice side by side, each after its scaler and PCA.

    Args:
        mode: which encoder serves which target.
        layers: chooses the layers of the encoders; None only in a bundle that does not say how they were chosen.
        scale: scale of the features that a head sees, one of `SCALES`, which `layers.features.BlockTransform` explains.

    Raises:
        UserError: the scale is unknown.
    """

    transform_: BlockTransform
    num_features_: int

    def __init__(self, mode: Mode, layers: LayerChooser | None = None, scale: str = "block") -> None:
        if scale not in SCALES:
            raise UserError(f"signal.scale: expected one of {', '.join(SCALES)}, found {scale!r}")
        self.mode, self.layers, self.scale = mode, layers, scale

    def reads(self) -> tuple[Reading, ...]:
        """The encoders of the mode."""
        return tuple(Reading("encoder", name) for name in self.mode.encoders)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        """Features (G, N, D) float32.

        With a layer choice for each group (`nested_layers`), groups with fewer columns are padded with zero columns.
        """
        choices = [self._choose(fitting, probe) for probe in fitting.probes]
        sources, masks = self._sources(readings, self.mode.encoders), fitting.masks
        if len(choices) == 1:
            features, transforms = fit_transform_groups(sources, choices[0].blocks, masks, self.scale)
        else:
            assert len(choices) == len(masks), "one layer choice for all groups, or one for each"
            parts, transforms = [], []
            for choice, mask in zip(choices, masks, strict=True):
                part, fitted = fit_transform_groups(sources, choice.blocks, mask[None], self.scale)
                parts.append(part[0])
                transforms += fitted
            width = max(part.shape[1] for part in parts)
            features = np.stack([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])
        self.layer_choice, self.transform_ = choices[0], transforms[0]
        self.num_features_ = features.shape[2]
        self.layout_ = Layout(self.num_features_)
        return features

    def transform(self, readings: Readings) -> np.ndarray:
        """Features (N, D) float32 of new queries under group 0."""
        serving = {
            block.encoder for block in self.transform_.blocks
        }  # a mode may leave an encoder without a block
        features = self.transform_.transform(self._sources(readings, serving))
        return np.pad(features, ((0, 0), (0, self.num_features_ - features.shape[1])))

    def _sources(self, readings: Readings, encoders: Collection[str]) -> dict[str, ActivationSource]:
        return {
            reading.name: readings.source(reading) for reading in self.reads() if reading.name in encoders
        }

    def _choose(self, fitting: Fitting, probe: Probe) -> LayerChoice:
        chooser = self.layers
        assert chooser is not None, "a signal that is fitted chooses its layers"

        def score(encoder: str, task: ProbeTask) -> ProbeTable:
            assert fitting.score is not None, "a signal with layers is told how to score them"
            return fitting.score(chooser, Reading("encoder", encoder), Probe(probe.rows, task))

        return self.mode.choose(chooser, score, probe.task)
