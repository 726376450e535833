"""Which groups of a run's configuration nothing reads, because what reads them was not chosen."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from prefillroute.config.schema import PredictorParts

_NAMED = re.compile(r"\$\{(?:oc\.select:)?(\w+)")


def unread_groups(config: DictConfig) -> list[str]:
    """The parts of a predictor that the chosen predictor does not name.

    A part is read only where another part names it by interpolation (`${layers}`), beginning with `predictor`. A
    signal without layers leaves `layers`, `pooling`, `mode` and `encoder` unread.

    Args:
        config: the run's configuration, interpolations unresolved.
    """
    whole = OmegaConf.to_container(config, resolve=False)
    assert isinstance(whole, dict)
    reached, waiting = {"predictor"}, ["predictor"]
    while waiting:
        for name in _named(whole[waiting.pop()]):
            if name in whole and name not in reached:
                reached.add(name)
                waiting.append(name)
    return [part.name for part in fields(PredictorParts) if part.name not in reached]


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, str):
        yield from _NAMED.findall(node)
