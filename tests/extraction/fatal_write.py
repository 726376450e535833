"""Ends a process in the middle of its work on a cache, as a power cut or the OOM killer would."""

import os
import signal
from collections.abc import Callable


def die_at_write(number: int) -> Callable[[], int]:
    """From now on this process kills itself with SIGKILL at its write of this number; 0: never.

    Returns a function that says how many writes there have been.
    """
    calls, pwrite = 0, os.pwrite

    def fatal(*args):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return pwrite(*args)

    os.pwrite = fatal
    return lambda: calls
