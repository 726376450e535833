"""The handle by which the outside controls a sandbox."""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any, Self

from prefillroute.errors import UserError
from prefillroute.harness.sandbox.inside.frames import receive, send
from prefillroute.harness.sandbox.isolation import WANTED, clean_environment, start_command
from prefillroute.harness.sandbox.limits import Limits

START_SECONDS = 30.0
GRACE_SECONDS = 30.0
"""Seconds to wait beyond a run's own limit, which process 1 enforces; a loaded machine may delay its answer."""
END_SECONDS = 5.0
PACKAGES = ("numpy",)
"""What LiveCodeBench's judge has installed besides the standard library."""


@dataclass(frozen=True)
class Run:
    """The result of running a program on one input."""

    reason: str
    """`ok`, `time`, `memory`, `output` (too much of it) or `crash` (an exception or a signal)."""
    status: int = 0
    """Exit status, or the negative number of the signal that ended the program."""
    stdout: str = ""
    """Standard output, cut off at the limit."""
    stderr: str = ""
    """The last 4,000 bytes of standard error."""
    value: str = ""
    """What the function returned, as JSON; empty if it did not return. The program may have forged this text."""
    seconds: float = 0.0
    """Wall-clock seconds."""


class Sandbox:
    """One program that is started once and run on any number of inputs; use it as a context manager.

    Every run is a new process that shares nothing with earlier runs except /tmp. Not thread-safe.
    """

    def __init__(
        self,
        program: str,
        function: str | None = None,
        limits: Limits | None = None,
        packages: Sequence[str] = PACKAGES,
    ) -> None:
        """Set the program; it starts when the context is entered.

        Args:
            program: Python source.
            function: name of the function to call, a method of the class `Solution` if there is one; None: a script.
            limits: limits of each run; None takes the defaults.
            packages: packages of this environment that the program may import, if they are installed.
        """
        self.limits = limits or Limits()
        self._program = program
        self._function = function
        self._packages = packages
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] | None = None
        self._busy = True

    def __enter__(self) -> Self:
        """Start the sandbox.

        Raises:
            UserError: this machine cannot isolate a program; nothing has run.
        """
        self._messages = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                start_command(self.limits, self._packages),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._messages,
                env=clean_environment(),
                cwd="/",
                bufsize=0,
                start_new_session=True,  # no terminal to type into, and one group to kill
            )
            task = {"program": self._program, "function": self._function, "limits": asdict(self.limits)}
            if self._ask(task, START_SECONDS) is None:
                self._refuse()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End every process of the sandbox."""
        self.close()

    def run(self, text: str) -> Run:
        """Run the program on one input: standard input of a script, or one JSON argument per line of a function."""
        started = time.monotonic()
        answer = self._ask({"input": text}, self.limits.wall_seconds + GRACE_SECONDS)
        if answer is None:  # process 1 is gone, and only the program can have caused that
            self.close()
            return Run("crash", stderr="the sandbox ended", seconds=time.monotonic() - started)
        return Run(**answer)

    def close(self) -> None:
        """End every process of the sandbox; may be called more than once."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            process.stdin.close()  # this ends process 1, whereupon the kernel ends all others
            try:
                process.wait(0 if self._busy else END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()
        if self._messages is not None:
            self._messages.close()

    def _ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a message and return the answer; None if the other side is gone or does not answer in time."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            return None
        self._busy = True
        try:
            send(self._process.stdin.fileno(), message)
        except BrokenPipeError:
            return None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        answer = receive(self._process.stdout.fileno()) if ready else None
        self._busy = answer is None
        return answer

    def _refuse(self) -> None:
        """Raise an error that quotes the tools' last line and says what is needed."""
        lines: list[str] = []
        if self._messages is not None:
            self._messages.seek(0)
            lines = self._messages.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "no answer"
        raise UserError(f"sandbox: expected isolation on this machine, found none ({said}); {WANTED}")
