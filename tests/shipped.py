"""What the tests of every kind of part have in common: its shipped options, a trip through a bundle's files, a toy."""

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from omegaconf import OmegaConf
from safetensors.numpy import load, save

from prefillroute.config.build import build
from prefillroute.spec import Stored, restore, store

CONF = Path(__file__).parents[1] / "conf"

Kind = TypeVar("Kind", bound=Stored)


def options(group: str) -> list[str]:
    """The options of a group, as long as there are any."""
    found = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    assert found, group
    return found


def built(group: str, option: str) -> Any:
    """What a run builds of an option that refers to no other group."""
    node = OmegaConf.load(CONF / group / f"{option}.yaml")
    assert isinstance(node, Mapping)
    return build(node)


def again(thing: Stored, kind: type[Kind]) -> Kind:
    """`thing` after it was written to a bundle's two files and read back."""
    spec, arrays = store(thing)
    return restore(json.loads(json.dumps(spec, allow_nan=False)), load(save(arrays)), kind)


def add_module(
    monkeypatch: pytest.MonkeyPatch, folder: Path, package: ModuleType, name: str, source: str
) -> None:
    """Let `package` have one more module, as if its file lay beside the others."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.setitem(
        sys.modules, f"{package.__name__}.{name}", package
    )  # so that it is forgotten at the end
    del sys.modules[f"{package.__name__}.{name}"]
    importlib.invalidate_caches()
