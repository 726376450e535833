"""Two toy encoders of different depth and width, the modes of conf/mode, and tables of made-up scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from hydra.utils import get_class

from prefillroute.layers.choice import Block
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.layers.source import ArraySource
from prefillroute.layers.table import ProbeTable
from prefillroute.modes.contract import Mode
from tests.layers.toys import build_toy

CONF = Path(__file__).parents[2] / "conf" / "mode"
MODES = sorted(path.stem for path in CONF.glob("*.yaml"))
ENCODERS = ("toy", "other")


@dataclass
class World:
    """Encoders of the same rows, and what was asked of them."""

    sources: Mapping[str, ArraySource]
    task: ProbeTask
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def choose(self, mode: Mode, chooser: LayerChooser):
        def score(encoder: str, task: ProbeTask) -> ProbeTable:
            self.asked.append((encoder, task.targets))
            return chooser.score(self.sources[encoder], task)

        return mode.choose(chooser, score, self.task)


def build_world(num_rows: int = 300) -> World:
    """Encoder `toy` of 4 layers and width 24, and `other` of 2 layers and width 16."""
    toy = build_toy(num_rows)
    return World({"toy": toy.source, "other": toy.other_encoder()}, toy.task)


def build_mode(name: str, **overrides) -> Mode:
    """An option of the group `mode` that reads both encoders if it can."""
    node = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    mode = get_class(node.pop("_target_"))
    given = {"encoder": "other", "encoders": list(ENCODERS), "default": "other"}
    if "default" in node:  # the encoders are a map
        given["encoders"] = {"target2": "toy"}
    return mode(**{key: given[key] for key in node} | overrides)


def made_up_table(encoder: str, auc: np.ndarray, targets: Sequence[str]) -> ProbeTable:
    """A table whose B blocks have the given AUCs (B, T)."""
    blocks = tuple(Block(encoder, (layer,), "mean", 4) for layer in range(len(auc)))
    rows = [
        {"encoder": encoder, "layer": layer, "pooling": "mean", "dim": 4, "target": target, "auc": value}
        | dict.fromkeys(("fisher_j", "fisher_j_permuted", "d_eff", "anisotropy"), 1.0)
        for layer, values in enumerate(auc)
        for target, value in zip(targets, values, strict=True)
    ]
    return ProbeTable(tuple(targets), blocks, pd.DataFrame(rows), {encoder: len(auc)})
