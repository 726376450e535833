"""Heads as bundles of format 1 held them; format1.json was written by the last version that had that format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prefillroute.errors import UserError
from prefillroute.heads.format1 import head_from_format1
from prefillroute.heads.layout import LABELS, NODES, TOKEN_IDS, Layout

OWN = ("column 0", "column 1")
LAYOUTS = {
    "SharedTrunkNet": Layout(6),
    "IndependentMLP": Layout(6, OWN),
    "MultiTaskMLP": Layout(6, OWN, extras=("difficulty",)),
    "LogisticHead": Layout(6, OWN),
    "GraphAttentionHead": Layout(6, content=NODES, num_nodes=3),
    "NeighbourVote": Layout(6, ("ratio_k5", "weighted_k5")),
    "CategoryPriorHead": Layout(6, content=LABELS),
    "DebertaHead": Layout(6, content=TOKEN_IDS),
}


def name_of(case: dict[str, Any]) -> str:
    return str(case["spec"]["class"].rpartition(".")[2])


CASES = {name_of(case): case for case in json.loads(Path(__file__).with_name("format1.json").read_text())}


def weights_of(case: dict[str, Any]) -> dict[str, np.ndarray]:
    integers = {"groups.0.column", "groups.0.target"}
    return {
        key: np.array(value, dtype=np.int64 if key in integers else np.float32)
        for key, value in case["weights"].items()
    }


@pytest.mark.parametrize("name", CASES)
def test_an_old_head_says_what_it_said(name: str) -> None:
    case = CASES[name]
    head = head_from_format1(case["spec"], weights_of(case))
    assert not head.training
    assert head.layout == LAYOUTS[name]
    with torch.no_grad():
        logits = head.group_logits(0, torch.tensor(case["features"]))
    np.testing.assert_allclose(logits, case["logits"], atol=1e-6)


def test_what_is_no_head_is_refused() -> None:
    case = CASES["SharedTrunkNet"]
    with pytest.raises(UserError, match=r"expected a Head of prefillroute, found 'os\.system'"):
        head_from_format1(case["spec"] | {"class": "os.system"}, {})
    with pytest.raises(UserError, match="head weights do not fit SharedTrunkNet"):
        head_from_format1(case["spec"], {})
    with pytest.raises(UserError, match=r"unexpected keyword argument 'depth'"):
        head_from_format1(case["spec"] | {"hyper": {"depth": 3}}, {})
