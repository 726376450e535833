"""Turns a fork of process 1 into the untrusted program."""

import ctypes
import json
import linecache
import os
import random
import resource
import signal
import sys
import traceback
import types
from importlib import import_module
from typing import Any, NoReturn

FILE = "solution.py"
PR_SET_DUMPABLE = 4
VALUE = 3
"""File descriptor for a function's value, separate from whatever the program prints."""
MODULES = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
    *("itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing"),
)


def prelude() -> dict[str, Any]:
    """Import what LiveCodeBench imports before every program; models have learnt to rely on it.

    This is done once, in process 1, so that it costs a test nothing.
    """
    names: dict[str, Any] = {}
    for module in MODULES:
        exec(f"from {module} import *", names)
    random.seed(0)  # so that an answer gets the same verdict every time
    return names | {module: import_module(module) for module in MODULES}


def become(task: dict[str, Any], names: dict[str, Any], text: str, descriptors: list[int]) -> NoReturn:
    """Turn this process into the program. It ends in an ordinary exit, which waits for threads and flushes output.

    Args:
        task: `program`, `function` (None for a script) and `limits`.
        names: the names that `prelude` imported.
        text: the test's input.
        descriptors: standard input, output and error, and `VALUE`.
    """
    for target, descriptor in enumerate(descriptors):
        # Move it out of the way first: the source of one may be the target of another.
        os.dup2(descriptor, 100 + target)
    for target in range(len(descriptors)):
        os.dup2(100 + target, target)
    os.closerange(len(descriptors), 256)
    # Process 1 is not dumpable; if the program inherited that, its /proc/self would belong to root.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    # If the machine runs out of memory, it shall end this process rather than the user's work.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    _limit(task["limits"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    sys.argv = [FILE]
    sys.setrecursionlimit(50_000)  # as LiveCodeBench sets it
    try:
        _execute(task["program"], task["function"], names, text)
    except SystemExit:
        # As in LiveCodeBench, the program's own exit status is ignored: what counts is what it printed.
        sys.exit(0)
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
            trace = trace.tb_next
        traceback.print_exception(error.with_traceback(trace))
        sys.exit(1)
    sys.exit(0)


def _limit(limits: dict[str, Any]) -> None:
    """Set the limits that the kernel enforces on each process; process 1 has set the limit on their number."""
    memory, disk = limits["memory_mb"] * 10**6, limits["disk_mb"] * 10**6
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk, disk))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 1))


def _execute(program: str, function: str | None, names: dict[str, Any], text: str) -> None:
    """Run a script, or call a function and write its value."""
    module = types.ModuleType("solution" if function else "__main__")
    module.__dict__.update(names | {"__name__": module.__name__})
    sys.modules[module.__name__] = module
    linecache.cache[FILE] = len(program), None, program.splitlines(keepends=True), FILE
    exec(compile(program, FILE, "exec", dont_inherit=True), module.__dict__)
    if function is None:
        return
    owner = module.__dict__["Solution"]() if "class Solution" in program else module
    value = getattr(owner, function)(*(json.loads(line) for line in text.strip().split("\n")))
    if isinstance(value, tuple):  # LiveCodeBench takes a tuple for a list, but not inside another value
        value = list(value)
    with open(VALUE, "w") as file:
        json.dump(_plain(value), file, default=lambda other: other.tolist())


def _plain(value: Any) -> Any:
    """Mark inner tuples, which JSON would turn into lists."""
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
