"""The paper's signal: PCA features of the chosen layers of an encoder's prefill."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.layers.choice import Block
from prefillroute.layers.features import SCALES, BlockTransform, fit_transform_groups
from prefillroute.signals.inputs import SignalInputs


class PrefillSignal:
    """Blocks of a layer choice, each through its scaler and PCA, side by side."""

    needs = frozenset({"activations"})
    own_features = 0
    own_names: tuple[str, ...] = ()

    def __init__(self, scale: str = "block") -> None:
        """`scale` of what a head sees, one of `SCALES`; `layers.features.BlockTransform` says what they are."""
        if scale not in SCALES:
            raise UserError(f"signal.scale: expected one of {', '.join(SCALES)}, found {scale!r}")
        self.scale = scale
        self.transform_: BlockTransform | None = None

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        """(G, N, D). With one choice per group (`layers.nested`), narrower groups are padded with zero
        columns.
        """
        choices = inputs.choices
        if len(choices) == 1:
            features, transforms = fit_transform_groups(
                inputs.activations, choices[0].blocks, masks, self.scale
            )
        else:
            assert len(choices) == len(masks), "one layer choice for all groups, or one for each"
            parts, transforms = [], []
            for choice, mask in zip(choices, masks, strict=True):
                part, fitted = fit_transform_groups(inputs.activations, choice.blocks, mask[None], self.scale)
                parts.append(part[0])
                transforms += fitted
            width = max(part.shape[1] for part in parts)
            features = np.stack([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])
        self.transform_ = transforms[0]
        self.num_features_ = features.shape[2]
        return features

    def transform(self, inputs: SignalInputs) -> np.ndarray:
        """(N, D) under group 0."""
        assert self.transform_ is not None, "fit first"
        features = self.transform_.transform(inputs.activations)
        return np.pad(features, ((0, 0), (0, self.num_features_ - features.shape[1])))

    def describe(self) -> dict[str, Any]:
        """Kind, scale, blocks and width of the features."""
        assert self.transform_ is not None, "fit first"
        return {
            "kind": "prefill",
            "scale": self.scale,
            "blocks": [block.to_dict() for block in self.transform_.blocks],
            "num_features": self.num_features_,
        }

    def state(self) -> dict[str, Tensor]:
        """Means and weights of the blocks."""
        assert self.transform_ is not None, "fit first"
        return self.transform_.state()

    @classmethod
    def from_state(cls, description: Mapping[str, Any], state: Mapping[str, Tensor]) -> "PrefillSignal":
        """Inverse of `describe` and `state`."""
        signal = cls(scale=description["scale"])
        blocks = [Block.from_dict(block) for block in description["blocks"]]
        signal.transform_ = BlockTransform.from_state(blocks, state)
        signal.num_features_ = description["num_features"]
        return signal
