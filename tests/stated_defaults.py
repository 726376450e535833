"""Defaults are stated twice, in conf/ for people who run and in the constructor for people who import."""

import inspect
from collections import defaultdict
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import OmegaConf

CONF = Path(__file__).parents[1] / "conf"


def contradicted(group: str) -> dict[str, tuple[Any, list[Any]]]:
    """Arguments of the group's classes whose default no option of the class has, though each states the argument.

    Returns:
        `Class.argument` to its default and the values that conf/<group> states.
    """
    options: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted((CONF / group).glob("*.yaml")):
        node = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        assert isinstance(node, dict)
        options[node["_target_"]].append(node)
    assert options, group
    found = {}
    for target, nodes in options.items():
        for name, parameter in inspect.signature(get_object(target)).parameters.items():
            stated = [node.get(name, parameter.default) for node in nodes]
            default = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
            follows = any(
                isinstance(value, str) and "${" in value for value in stated
            )  # another key of the run
            if parameter.default is not parameter.empty and default not in stated and not follows:
                found[f"{target.rpartition('.')[2]}.{name}"] = (default, stated)
    return found
