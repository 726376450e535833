"""Every head that ships, found by walking conf/head/*.yaml, small, on every kind of features that it accepts.

A new head is tested without an edit, unless it needs hyper-parameters of its own to be small (`CHANGES`), reads only
some kinds of features (`TAKES`) or is no head at all (`NO_HEADS`).
"""

from typing import Any

import torch
from hydra.utils import get_object
from omegaconf import OmegaConf
from torch import Tensor
from torch.nn.functional import one_hot

from prefillroute.config.build import HYDRA_KEYS, build
from prefillroute.config.search import conf_dir
from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, Head
from prefillroute.heads.layout import LABELS, NODES, TOKEN_IDS, Layout

M, G, E, N, VOCAB = 3, 3, 3, 100, 30
OWN = ("ratio_k25", "weighted_k25")
EXTRAS = ("difficulty",)
LAYOUTS = {
    "numbers": Layout(6, extras=EXTRAS),
    "own": Layout(2 + M * len(OWN), own=OWN, extras=EXTRAS),
    "labels": Layout(4, content=LABELS, extras=EXTRAS),
    "nodes": Layout(6, content=NODES, num_nodes=3, extras=EXTRAS),
    "tokens": Layout(6, content=TOKEN_IDS, extras=EXTRAS),
}
CHANGES: dict[str, dict[str, Any]] = {
    "GraphAttentionHead": {"width": 4},
    "XGBoostHead": {"num_rounds": 12, "patience": 3, "min_child_weight": 1.0},
    "ClusterHead": {"num_clusters": [2, 6], "n_init": 1},
    "DebertaHead": {  # random weights, too small to notice
        "model": None,
        "lora_rank": 2,
        "hidden_size": 8,
        "num_layers": 1,
        "intermediate_size": 8,
        "vocab_size": VOCAB,
    },
}
"""By class: what its head is built with instead of what the YAML says."""
TAKES = {
    "DebertaHead": {"tokens"},
    "GraphAttentionHead": {"nodes"},
    "CategoryPriorHead": {"labels"},
    "NeighbourVote": {"own"},
}
"""By class: which of `LAYOUTS` it accepts, if not all but token ids."""
NO_HEADS = {"blend"}
"""Options without weights of their own: they average what others predict."""


def walk() -> dict[str, dict[str, Any]]:
    found = {path.stem: path for path in sorted((conf_dir() / "head").glob("*.yaml"))}
    return {option: OmegaConf.to_container(OmegaConf.load(path)) for option, path in found.items()}


OPTIONS = walk()
KINDS = {option: get_object(node["_target_"]) for option, node in OPTIONS.items()}
HEADS = [option for option, kind in KINDS.items() if issubclass(kind, Head)]
CLOSED = [option for option in HEADS if issubclass(KINDS[option], ClosedFormHead)]
NEURAL = [option for option in HEADS if option not in CLOSED]


def takes(option: str) -> set[str]:
    return TAKES.get(KINDS[option].__name__, set(LAYOUTS) - {"tokens"})


def pairs(options: list[str]) -> list[tuple[str, str]]:
    return [(option, kind) for option in options for kind in LAYOUTS if kind in takes(option)]


def chosen(option: str) -> dict[str, Any]:
    """The option's hyper-parameters as its YAML says, but small."""
    own = {key: value for key, value in OPTIONS[option].items() if key not in HYDRA_KEYS}
    if "hidden" in own:
        own["hidden"] = [8, 6, 5, 4][: len(own["hidden"])]
    return own | CHANGES.get(KINDS[option].__name__, {})


def make(option: str, layout: Layout, groups: int = G, members: int = E, **hyper: Any) -> Head:
    node = chosen(option) | hyper | {"_target_": OPTIONS[option]["_target_"]}
    head = build(node, layout=layout, num_targets=M, num_groups=groups, num_members=members, seed=5)
    assert isinstance(head, Head)
    return head


def accepted(option: str) -> set[str]:
    """Which of `LAYOUTS` the head really accepts."""
    found = set()
    for kind, layout in LAYOUTS.items():
        try:
            make(option, layout, groups=1, members=1)
        except UserError:
            continue
        found.add(kind)
    return found


def features_of(kind: str, generator: torch.Generator) -> Tensor:
    """(N, D) of one of `LAYOUTS`."""
    layout = LAYOUTS[kind]
    if kind == "labels":
        return one_hot(torch.randint(layout.width, (N,), generator=generator), layout.width).float()
    if kind == "tokens":
        ids = torch.randint(VOCAB, (N, layout.width), generator=generator).float()
        ids[::2, -2:] = -1
        return ids
    if kind == "own":  # shares of neighbours
        return torch.rand(N, layout.width, generator=generator)
    return torch.randn(N, layout.width, generator=generator)


def data_of(kind: str) -> FoldedData:
    """Outcomes that can be learned, one in ten missing; a judge's difficulties, one in nine missing; G - 1 folds."""
    generator = torch.Generator().manual_seed(0)
    features = features_of(kind, generator)
    scaled = (features - features.mean(0)) / features.std(0)
    chance = torch.sigmoid(scaled @ torch.randn(LAYOUTS[kind].width, M, generator=generator))
    correct = (torch.rand(N, M, generator=generator) < chance).float()
    correct[torch.rand(N, M, generator=generator) < 0.1] = torch.nan
    fold = torch.arange(N) % (G - 1)
    held = torch.stack([torch.zeros(N, dtype=torch.bool)] + [fold == k for k in range(G - 1)])
    valid = (torch.rand(G, N, generator=generator) < 0.2) & ~held
    difficulty = torch.rand(N, generator=generator)
    difficulty[::9] = torch.nan
    return FoldedData(
        features.expand(G, -1, -1).clone(), correct, ~held & ~valid, valid, {"difficulty": difficulty}
    )
