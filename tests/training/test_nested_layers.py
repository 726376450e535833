"""`nested_layers`: each fold's group chooses its layers without the rows that the fold holds out."""

from dataclasses import replace
from typing import Any

import pytest

from prefillroute.layers.choice import LayerChoice
from prefillroute.modes.single import Single
from prefillroute.readings.contract import Reading
from prefillroute.training.shared import Shared
from prefillroute.training.workshop import RunWorkshop

World = Any  # of conftest.py
LAYER_OF_FOLD = (1, 2)
"""The layer that says what is right, for the queries of either fold; it says nothing of the others."""


def test_a_group_never_looks_at_the_fold_that_it_holds_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = world.config(
        "layers.layers=all", "layers.dims=[4]", "layers.max_blocks=1", "layers.permutations=2",
        "nested_layers=true",
    )  # fmt: skip
    data, groups = world.data, world.data.groups
    source = RunWorkshop(config, data, Shared()).readings.source(Reading("encoder", "toy"))
    correct = data.outcomes.correct.copy()
    for fold, layer in enumerate(LAYER_OF_FOLD):
        rows = groups.rows[groups.folds == fold]
        said = source.read(layer, "mean")[rows, : correct.shape[1]]
        correct[rows] = (said > 0).astype(float)
    choices: list[LayerChoice] = []
    choose = Single.choose

    def remembered(*given: Any) -> LayerChoice:
        choices.append(choose(*given))
        return choices[-1]

    monkeypatch.setattr(Single, "choose", remembered)
    other = replace(data, outcomes=replace(data.outcomes, correct=correct), key="other outcomes")
    RunWorkshop(config, other, Shared()).features(config.signal)
    found = [{layer for block in choice.blocks for layer in block.layers} for choice in choices]
    assert len(found) == 3
    for fold, layers in enumerate(found[1:]):
        assert groups.held_out[1 + fold][groups.folds == fold].all()
        assert layers == {LAYER_OF_FOLD[1 - fold]}
