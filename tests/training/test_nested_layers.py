"""`nested_layers`: each fold's group chooses its layers without the rows that the fold holds out."""

from dataclasses import replace
from typing import Any

import numpy as np

from prefillroute.config.build import build
from prefillroute.layers.choice import LayerChoice
from prefillroute.signals.inputs import SignalInputs
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.training.features import LayerChoices, QueryTable, make_features
from prefillroute.training.predictors import Predictors
from prefillroute.training.shared import Shared

World = Any  # of conftest.py
LAYER_OF_FOLD = (1, 2)
"""The layer that says what is right, for the queries of either fold; it says nothing of the others."""


class Remembering(PrefillSignal):
    """Keeps the layer choices that it was given."""

    choices: tuple[LayerChoice, ...] = ()

    def fit_transform(self, inputs: SignalInputs, masks: np.ndarray) -> np.ndarray:
        self.choices = inputs.choices
        return super().fit_transform(inputs, masks)


def test_a_group_never_looks_at_the_fold_that_it_holds_out(world: World, tmp_path) -> None:
    config = world.config(
        "layers.layers=all", "layers.dims=[4]", "layers.max_blocks=1", "layers.permutations=2"
    )
    data, groups = world.data, world.data.groups
    view, identity = Predictors(config, data, Shared()).activations
    correct = data.outcomes.correct.copy()
    for fold, layer in enumerate(LAYER_OF_FOLD):
        rows = groups.rows[groups.folds == fold]
        said = view.read(layer, "mean")[rows, : correct.shape[1]]
        correct[rows] = (said > 0).astype(float)
    outcomes = replace(data.outcomes, correct=correct)
    signal = Remembering()
    mode, layers = build(config.mode), build(config.layers)
    chooser = LayerChoices(mode, layers, view, identity, tmp_path / "memo", config.seed)
    make_features(signal, QueryTable(outcomes, view), groups, data.predict_rows, chooser, True, config.seed)
    found = [{layer for block in choice.blocks for layer in block.layers} for choice in signal.choices]
    assert len(found) == 3
    for fold, layers in enumerate(found[1:]):
        assert groups.held_out[1 + fold][groups.folds == fold].all()
        assert layers == {LAYER_OF_FOLD[1 - fold]}
