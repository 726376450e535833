"""A small model behind llama.cpp's own OpenAI-compatible streaming server, on loopback, in a process of its own.

`xllamacpp` brings that server as a wheel: several slots with continuous batching, and each slot keeps the tokens that
it has read, so that the worked examples before a question are computed once.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefillroute.text.printing import say

CONTEXT_PER_SLOT = 1024
START_SECONDS = 60.0


@contextmanager
def served(
    model: Path,
    port: int,
    slots: int = 8,
    threads: int = 1,
    template: Path | None = None,
    log: Path | None = None,
) -> Iterator[str]:
    """Start the server, wait until it answers, end it on the way out.

    Args:
        model: GGUF file.
        port: on 127.0.0.1.
        slots: questions that are answered at once.
        threads: of the computation. llama.cpp's threads wait for each other by spinning: more of them than free
            cores is far slower than one.
        template: Jinja chat template in place of the model's own, for a base model that has none.
        log: where the server's own words go; nowhere by default.

    Yields:
        The base URL for OpenAI's clients.

    Raises:
        RuntimeError: it ended or did not answer within a minute.
    """
    words = ["--model", str(model), "--port", str(port), "--slots", str(slots), "--threads", str(threads)]
    words += ["--template", str(template)] if template else []
    with open(log or "/dev/null", "ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "experiments.starter_pool.server", *words], stdout=said, stderr=said
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen, address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if json.load(answer).get("status") == "ok":
                    return
        except (urllib.error.URLError, OSError):
            pass  # not listening yet, or still loading
        time.sleep(0.2)
    raise RuntimeError(f"no answer from {address} within {START_SECONDS:.0f} s")


def main() -> None:
    """Serve until the process, or the one that started it, is ended."""
    import xllamacpp  # noqa: PLC0415 - only the serving process needs it

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--template", type=Path)
    words = parser.parse_args()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = words.model
    parameters.n_ctx = CONTEXT_PER_SLOT * words.slots
    parameters.n_parallel = words.slots
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = words.port
    parameters.n_gpu_layers = 0
    parameters.cache_ram_mib = 0  # each slot keeps its own prefix; no second store of gigabytes
    parameters.cpuparams.n_threads = words.threads
    parameters.cpuparams_batch.n_threads = words.threads
    if words.template:
        parameters.use_jinja = True
        parameters.chat_template = words.template.read_text(encoding="utf-8")
    server = xllamacpp.Server(parameters)
    say(server.listening_address)
    parent = os.getppid()
    while os.getppid() == parent:  # whoever started it may be killed, and would leave it behind
        time.sleep(1)


if __name__ == "__main__":
    main()
