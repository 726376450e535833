"""One more of each kind is one or two files, and no list: a toy of each is added in a temporary folder.

Modules are put where a contributor would put them, by extending the path of the package that holds the kind, and
YAMLs into `conf/` of the working directory. What is tested is that everything that is to know of a kind does.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from prefillroute.router.policies import known_policies
from prefillroute.spec import Stored, restore, store

Add = Callable[[str, str, str], ModuleType]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """`add(package, name, code)`: a module of a package of ours, as if its file lay there."""
    added: list[str] = []

    def one(package: str, name: str, code: str) -> ModuleType:
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(code)
        room = importlib.import_module(package)
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
        importlib.invalidate_caches()
        added.append(f"{package}.{name}")
        return importlib.import_module(f"{package}.{name}")

    known_policies.cache_clear()
    yield one
    known_policies.cache_clear()
    for name in added:
        sys.modules.pop(name, None)


@pytest.fixture
def option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """`option(group, name, text)`: a YAML in `conf/` of the working directory."""
    monkeypatch.chdir(tmp_path)

    def one(group: str, name: str, text: str) -> None:
        folder = tmp_path / "conf" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)

    return one


def round_trip(thing: Stored) -> Stored:
    spec, arrays = store(thing)
    return restore(json.loads(json.dumps(spec)), arrays, type(thing))
