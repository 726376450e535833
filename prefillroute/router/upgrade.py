"""Reads bundles of format 1, which hold one encoder's prefill and a head: turns them into what format 2 would say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.heads.format1 import head_from_format1
from prefillroute.heads.layout import Layout
from prefillroute.layers.choice import Block
from prefillroute.layers.features import BlockTransform
from prefillroute.modes.single import Single
from prefillroute.predictors.single import SinglePredictor
from prefillroute.router.format1 import calibrator_from_format1, cost_from_format1, policy_from_format1
from prefillroute.signals.prefill import PrefillSignal
from prefillroute.spec import store

KEPT = (
    "correct_threshold",
    "fingerprint",
    "metrics",
    "targets",
    "weights_bytes",
    "weights_sha256",
    "written_by",
)
"""Keys that mean the same in both formats."""


def upgraded(
    content: Mapping[str, Any], arrays: Mapping[str, np.ndarray], path: Path
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Rewrite a bundle of format 1.

    Args:
        content: of its ``router.json``.
        arrays: of its ``weights.safetensors``.
        path: folder of the bundle, for messages.

    Returns:
        Content and arrays of format 2. There are no golden prompts, since format 1 kept no texts.

    Raises:
        UserError: the bundle is not what a run wrote.
    """
    try:
        return _upgraded(content, arrays)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: the parts do not fit together ({error!r:.150}); train again") from error
    except UserError as error:
        raise UserError(f"{path}: {error}; train again") from error


def _upgraded(
    content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    blocks = [Block.from_dict(block) for block in content["blocks"]]
    (encoder,) = content["encoders"]
    names = [entry["facts"]["name"] for entry in content["targets"]]
    policy, single = policy_from_format1(content["policy"], names)
    parts = {
        "predictor": SinglePredictor(
            _signal(blocks, encoder["facts"]["name"], arrays),
            head_from_format1(content["head"], _part(arrays, "head")),
        ),
        "calibration": calibrator_from_format1(content["calibration"]),
        "cost": cost_from_format1(
            content["cost"], [TargetConfig(**entry["facts"]) for entry in content["targets"]]
        ),
        "policy": policy,
    }
    reading = {"group": "encoder", "name": encoder["facts"]["name"]}
    golden = _golden_cells(blocks, _part(arrays, "golden"))
    facts = {**encoder["facts"], "prompt_format": encoder["identity"]["prompt_format"]}
    cells = sorted(golden)
    new = {
        "format_version": 2,
        "models": [{"reading": reading, "facts": facts, "identity": encoder["identity"], "cells": cells}],
        "counter": reading,
        "columns": {},
        "single": single,
        **{key: content[key] for key in KEPT},
    }
    kept = {
        "golden.logits": arrays["golden.logits"],
        "golden.confidence": arrays["golden.confidence"],
        **{f"golden.0.{layer}.{pooling}": array for (layer, pooling), array in golden.items()},
    }
    for name, part in parts.items():
        new[name], own = store(part, name)
        kept |= own
    return new, kept


def _signal(blocks: list[Block], encoder: str, arrays: Mapping[str, np.ndarray]) -> PrefillSignal:
    means, weights = (
        tuple(arrays[f"transform.{number}.{part}"] for number in range(len(blocks)))
        for part in ("mean", "weight")
    )
    signal = PrefillSignal(Single(encoder))
    signal.transform_ = BlockTransform(tuple(blocks), means, weights)
    signal.num_features_ = signal.transform_.num_features
    signal.layout_ = Layout(signal.num_features_)
    return signal


def _golden_cells(blocks: list[Block], arrays: Mapping[str, np.ndarray]) -> dict[tuple[int, str], np.ndarray]:
    """What was kept by block, by layer and pooling; the layers of a block stand side by side."""
    cells: dict[tuple[int, str], np.ndarray] = {}
    for number, block in enumerate(blocks):
        parts = np.split(arrays[f"activations.{number}"], len(block.layers), axis=1)
        cells |= {
            (layer, block.pooling): part.copy() for layer, part in zip(block.layers, parts, strict=True)
        }
    return cells


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    start = f"{prefix}."
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
