"""Programs under limits, hostile ones really run, each bounded by itself too: it would end without a sandbox."""

import time
from collections.abc import Callable

import pytest

from prefillroute.errors import UserError
from prefillroute.harness.sandbox.box import Run, Sandbox
from prefillroute.harness.sandbox.limits import Limits

Runner = Callable[..., Run]
LIMITS = Limits(cpu_seconds=1, wall_seconds=1.5, memory_mb=300, disk_mb=8, output_mb=1, processes=12)


def test_an_honest_program_reads_and_writes(run: Runner) -> None:
    result = run("print(sum(map(int, input().split())))\nprint(input())", "1 2 3\nnaïve\n")
    assert (result.reason, result.status, result.stdout) == ("ok", 0, "6\nnaïve\n")


WAYS_TO_READ = {
    "read": "import sys\nprint(sys.stdin.read().strip())",
    "open 0": "print(open(0).read().strip())",
    "/dev/stdin": "print(open('/dev/stdin').readline().strip())",
    "descriptor": "import os\nprint(os.read(0, 100).decode().strip())",
    "exit status": "import sys\nprint(next(iter(sys.stdin)).strip())\nexit(3)",
    "thread": (
        "import threading\nthreading.stack_size(1 << 26)\nthreading.Thread(target=lambda: print(input())).start()"
    ),
    "prelude": "print(Counter([input()]).most_common(1)[0][0] if sqrt(4) == 2 else None)",
    "main": "if __name__ == '__main__':\n    print(input())",
    "future": "from __future__ import annotations\nimport atexit\natexit.register(print, input())",
    "numpy": "import numpy as np\nprint(input() if np.arange(3).sum() == 3 else '')",
}


@pytest.mark.parametrize("way", WAYS_TO_READ)
def test_the_ways_contestants_read_their_input(run: Runner, way: str) -> None:
    result = run(WAYS_TO_READ[way], "hello\n")
    assert (result.reason, result.stdout) == ("ok", "hello\n"), result.stderr


def test_a_function_returns_its_value(run: Runner) -> None:
    program = """
        class Solution:
            def add(self, a: List[int], b: int):
                print('noise')
                return a + [b], (1,)
        """
    assert run(program, "[1, 2]\n3", "add").value == '[[1, 2, 3], {"tuple": [1]}]'
    assert run("def twice(x):\n    return 2 * x", '"ab"', "twice").value == '"abab"'
    assert run("class Solution:\n    pass", "1", "add").reason == "crash"


def test_one_sandbox_runs_many_inputs_apart() -> None:
    program = "import math\nprint(int(math.pi), input())\nmath.pi = 9\nmath.seen = True"
    with Sandbox(program, limits=LIMITS) as sandbox:
        assert [sandbox.run(text).stdout for text in ("a", "b", "c")] == ["3 a\n", "3 b\n", "3 c\n"]


FORK_BOMB = """
    import os, time
    for _ in range(300):
        try:
            os.fork()
        except OSError:
            pass
    time.sleep(20)
    """
DEAF = """
    import signal
    for number in (signal.SIGTERM, signal.SIGXCPU, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
    """
EIGHT_BALLOONS = """
    import os, time
    for _ in range(7):
        if os.fork() == 0:
            break
    x = os.urandom(1 << 20) * 100
    time.sleep(20)
    """
KILLER = """
    import os, signal
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(-1, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    """
HOSTILE = {
    "fork bomb": ("time", FORK_BOMB),
    "endless loop": ("time", "while True: pass"),
    "deaf to signals": ("time", DEAF),
    "sleep": ("time", "import time\ntime.sleep(30)"),
    "stopped": ("time", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "memory in one go": ("memory", "x = bytearray(10**10)"),
    "memory of many": ("memory", EIGHT_BALLOONS),
    "endless output": ("output", "while True: print('x' * 1000)"),
    "output without a pause": ("output", "import os\nwhile True: os.write(1, b'x' * 60000)"),
    "killing everyone": ("crash", KILLER),
    "abort": ("crash", "import os\nos.abort()"),
    "segmentation fault": ("crash", "import ctypes\nctypes.string_at(0)"),
    "exception": ("crash", "print(1)\n1 / 0"),
    "closed output": ("ok", "import os\nos.close(1)\nos.close(2)\nos._exit(0)"),
    "waiting for more input": ("crash", "input()\ninput()"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_ends_in_time_and_leaves_nothing(run: Runner, name: str) -> None:
    reason, program = HOSTILE[name]
    result = run(program, "one line")
    assert result.reason == reason, result
    assert result.seconds < 6
    assert len(result.stdout) <= 10**6


def test_the_next_test_runs_after_a_fork_bomb() -> None:
    program = "import os, time\nif input() == 'bomb':\n    for _ in range(300):\n        try: os.fork()\n"
    program += "        except OSError: pass\n    time.sleep(20)\nprint(os.fork() > 0)"
    with Sandbox(program, limits=LIMITS) as sandbox:
        assert [sandbox.run(text).reason for text in ("bomb", "none")] == ["time", "ok"]


def test_the_number_of_processes_is_limited(run: Runner) -> None:
    program = """
        import os, time
        made = 0
        try:
            while made < 100:
                if os.fork() == 0:
                    time.sleep(5)
                    os._exit(0)
                made += 1
        except BlockingIOError:
            pass
        print(made)
        """
    assert int(run(program).stdout) < LIMITS.processes


def test_a_daemon_does_not_outlive_its_test(run: Runner) -> None:
    program = """
        import ctypes, os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(15, b'hostile', 0, 0, 0)
                open('/tmp/alive', 'w')
                time.sleep(8)
            os._exit(0)
        time.sleep(0.3)
        print(os.path.exists('/tmp/alive'))
        """
    assert run(program).stdout == "True\n"  # and the fixture finds no process of this name


def test_a_large_file_is_refused(run: Runner) -> None:
    program = """
        import os
        try:
            with open('/tmp/big', 'wb', buffering=0) as file:
                for _ in range(10_000):
                    file.write(bytes(10**6))
        except OSError:
            print(os.path.getsize('/tmp/big'))
        """
    assert 0 < int(run(program).stdout) <= LIMITS.disk_mb * 10**6
    many = """
        try:
            for n in range(9_000):
                open(f'/tmp/{n}', 'w').close()
        except OSError:
            print('full')
        """
    assert run(many).stdout == "full\n"


def test_a_dead_process_one_is_a_crash_and_not_a_hang() -> None:
    program = "import resource\nresource.prlimit(1, resource.RLIMIT_CPU, (0, 0))\nwhile True: pass"
    with Sandbox(program, limits=LIMITS) as sandbox:
        start = time.monotonic()
        assert {sandbox.run("").reason, sandbox.run("").reason} <= {"crash", "time"}
        assert time.monotonic() - start < 8


@pytest.mark.parametrize(
    "change", [{"cpu_seconds": 0}, {"memory_mb": -1}, {"processes": 1}, {"wall_seconds": float("nan")}]
)
def test_limits_that_nothing_runs_under(change: dict) -> None:
    with pytest.raises(UserError, match=rf"sandbox limit {next(iter(change))}: expected at least"):
        Limits(**change)
