"""Every example in a docstring gives what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

import prefillroute
from tests.router.text_bundle import write_text_bundle

PACKAGE = Path(prefillroute.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an example calls `bundle`: the folder of a router bundle."""
    return write_text_bundle(tmp_path_factory.mktemp("run") / "router")


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings(module: str, bundle: Path) -> None:
    found = doctest.testmod(importlib.import_module(module), extraglobs={"bundle": bundle})
    assert found.attempted > 0
    assert found.failed == 0
