"""An interpreter that stands in for vLLM's, and the real one."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prefillroute.errors import UserError
from prefillroute.extraction.backends.vllm import VllmBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.vllm.environment import VllmEnvironment

STAND_IN = Path(__file__).parent / "stand_in.py"
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], Path]:
    """A program that is called like an interpreter, and does what `stand_in.py` says of a fault."""

    def make(fault: str = "") -> Path:
        path = tmp_path / "python"
        path.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(STAND_IN))} {shlex.quote(fault)} "$@"\n'
        )
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def make(stand_in, toy_facts, tmp_path) -> Callable[..., VllmBackend]:
    """A backend with a toy encoder, whose process has a fault."""

    def backend(fault: str = "", **options) -> VllmBackend:
        options = {"tokens_per_batch": 301, "log": str(tmp_path / "vllm.log")} | options
        return VllmBackend(
            toy_facts("llama"), ReadRequest(max_length=300), python=str(stand_in(fault)), **options
        )

    return backend


@pytest.fixture(scope="session")
def vllm_python() -> str:
    """Interpreter of vLLM's environment."""
    python = os.environ.get("PREFILLROUTE_VLLM_PYTHON") or str(CHECKOUT / ".venv-vllm/bin/python")
    try:
        VllmEnvironment.find(python)
    except UserError as error:
        pytest.skip(str(error))
    return python
