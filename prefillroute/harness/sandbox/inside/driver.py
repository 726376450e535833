"""Process 1 of a sandbox: runs a program on one input after another, each time in a fresh child.

It receives only the inputs, one at a time, and never an expected output, so there is no verdict in here to forge. A
child has none of its file descriptors. The kernel drops signals from inside for which it has no handler, even SIGKILL.
Because it is not dumpable, no process inside may trace it or open its memory.
"""

import ctypes
import gc
import os
import resource
import signal
import time
from typing import Any

from .child import PR_SET_DUMPABLE, become, prelude
from .frames import receive, send
from .watch import Watch


def main() -> None:
    """Serve tests until standard input closes."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.chdir("/tmp")
    names = prelude()
    gc.freeze()  # otherwise the collector would touch, and so copy, every page of these objects in every child
    task = receive(requests)
    if task is None:
        return
    resource.setrlimit(resource.RLIMIT_NPROC, (task["limits"]["processes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    send(answers, {"ready": True})
    while (test := receive(requests)) is not None:
        send(answers, _run(task, names, test["input"]))


def _run(task: dict[str, Any], names: dict[str, Any], text: str) -> dict[str, Any]:
    """Run the program on one input and describe what it did."""
    stdin = os.memfd_create("stdin")
    with os.fdopen(os.dup(stdin), "wb") as file:
        file.write(text.encode(errors="replace"))
    os.lseek(stdin, 0, os.SEEK_SET)
    pipes = [os.pipe() for _ in range(3)]
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        become(task, names, text, [stdin, *(write for _, write in pipes)])
    for descriptor in (stdin, *(write for _, write in pipes)):
        os.close(descriptor)
    watch = Watch(child, [read for read, _ in pipes], task["limits"], start)
    reason = watch.until_end()
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - start
    _kill_all()
    watch.drain()
    stdout, stderr, value = (data.decode(errors="replace") for data in watch.data)
    code = os.waitstatus_to_exitcode(status)
    busy = usage.ru_utime + usage.ru_stime >= task["limits"]["cpu_seconds"]
    return {
        "reason": reason or _reason(code, busy, stderr),
        "status": code,
        "stdout": stdout,
        "stderr": stderr,
        "value": value,
        "seconds": seconds,
    }


def _reason(code: int, busy: bool, stderr: str) -> str:
    """Say what ended a program that the watch did not end."""
    if code == 0:
        return "ok"
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and busy):
        return "time"
    return "memory" if stderr.rstrip().rsplit("\n", 1)[-1].startswith("MemoryError") else "crash"


def _kill_all() -> None:
    """Kill all that is left of this test: its orphans and daemons have become children of process 1."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, 0)
        except (ProcessLookupError, ChildProcessError):
            break
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
