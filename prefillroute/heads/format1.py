"""Reads heads of router bundles of format 1, which told a head about its signal by four arguments of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from prefillroute.heads.contract import Head
from prefillroute.heads.layout import LABELS, NODES, NUMBERS, TOKEN_IDS, Layout
from prefillroute.heads.multi_task import DIFFICULTY
from prefillroute.spec import restore, store

CONTENT = {
    "prefillroute.heads.category_prior.CategoryPriorHead": LABELS,
    "prefillroute.heads.deberta.DebertaHead": TOKEN_IDS,
    "prefillroute.heads.graph_attention.GraphAttentionHead": NODES,
}
"""What the features of a head were, if not numbers; format 1 did not say it."""


def head_from_format1(spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Head:
    """Build the head of a bundle of format 1, in evaluation mode.

    Args:
        spec: `class`, `in_features`, `num_targets`, `num_groups`, `num_members`, `seed` and `hyper`, of which
            `own_features`, `own_names` and `num_nodes` become the layout.
        tensors: the head's weights by their names in its state dict.

    Raises:
        UserError: the class is no head of this package, or its arguments or weights do not fit.
        KeyError: a key is missing.
    """
    hyper = dict(spec["hyper"])
    number = hyper.pop("own_features", 0)
    layout = Layout(
        width=spec["in_features"],
        own=tuple(hyper.pop("own_names", [f"column {column}" for column in range(number)])),
        content=CONTENT.get(spec["class"], NUMBERS),
        num_nodes=hyper.pop("num_nodes", 1),
        extras=(DIFFICULTY,) if hyper.get("difficulty_labels") == "judge" else (),
    )
    sizes = {name: spec[name] for name in ("num_targets", "num_groups", "num_members", "seed")}
    stored = {
        "class": spec["class"],
        "arguments": {"layout": store(layout)[0], **sizes, **hyper},
        "fitted": {name: {"array": name} for name in tensors},
    }
    return restore(stored, tensors, Head)
