"""A vLLM process seen from here: it is started, it is spoken to, and it ends in any case."""

import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.extraction.vllm.environment import PROGRAM, environment
from prefillroute.extraction.vllm.worker.pooled_frames import Frame, FrameReader, send

PREFIX = "prefillroute-vllm-"
_SAID = re.compile(r"\b((?:\w+\.)*\w*(?:Error|Exception|Interrupt)): (.+)")
_GENERAL = ("root cause", "stack trace", "EngineDeadError", "background process")
"""What vLLM's second-hand errors say instead of a reason."""
CURES = {
    "requires BF16": "set request.dtype=bfloat16",
    "KV cache": "set request.max_length lower or extraction.memory_share higher",
    "out of memory": "set extraction.tokens_per_batch or extraction.memory_share lower",
    "memory utilization": "set extraction.memory_share lower",
}
"""What to do, by a part of vLLM's message."""


class WorkerProcess:
    """Starts the program in the other environment, with pipes to it.

    The process leads a group of its own. The group is killed when this object is closed or collected, or this
    interpreter ends; if this process is killed, the program notices the end of its input and kills the group itself.

    Args:
        python: interpreter of the other environment.
        what: name of the model in messages.
        log: file for everything that the process prints.

    Raises:
        UserError: the log cannot be written, or the process cannot be started.
    """

    def __init__(self, python: Path, what: str, log: Path) -> None:
        self.what, self.log = what, log
        events_in, events_out = os.pipe()
        vectors_in, vectors_out = os.pipe()
        temporary = tempfile.mkdtemp(prefix=PREFIX)
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as said:
                self._process = subprocess.Popen(
                    [python, PROGRAM, "serve", str(events_out), str(vectors_out), temporary],
                    stdin=subprocess.PIPE,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    pass_fds=(events_out, vectors_out),
                    start_new_session=True,
                    env=environment() | {"TMPDIR": temporary},
                )
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            os.close(events_in)
            os.close(vectors_in)
            raise UserError(
                f"{what}: its vLLM process cannot be started ({error.filename}: {error.strerror}); see "
                "extraction.python and extraction.log"
            ) from error
        finally:
            os.close(events_out)
            os.close(vectors_out)
        assert self._process.stdin is not None
        self._commands = self._process.stdin.fileno()
        self._readers = {events_in: FrameReader(), vectors_in: FrameReader()}
        self._events = events_in
        self._selector = selectors.DefaultSelector()
        for descriptor in self._readers:
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._end = weakref.finalize(
            self, _end, os.getpid(), self._process, self._selector, (events_in, vectors_in), temporary
        )

    @property
    def alive(self) -> bool:
        """Whether `close` has not been called yet."""
        return self._end.alive

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Tell the process something. If it has ended, `receive` says so, and why."""
        with suppress(BrokenPipeError):
            send(self._commands, header, payload)

    def receive(self, seconds: float, key: str, awaited: str) -> list[Frame]:
        """Wait for what the process says.

        Args:
            seconds: how long it may be silent.
            key: the option that says so, for the message.
            awaited: what it should say, for the message.

        Returns:
            One frame or more.

        Raises:
            UserError: it failed, ended, said something that is no frame, or was silent for too long. It is ended then.
        """
        frames: list[Frame] = []
        deadline = time.monotonic() + seconds
        while not frames:
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                raise self._failed(awaited, f"it said nothing for {seconds:g} s ({key})")
            for chosen, _ in ready:
                data = os.read(chosen.fd, 1 << 20)
                if not data and chosen.fd == self._events:
                    raise self._failed(awaited)
                if not data:  # the process ends, and says why in the other pipe
                    self._selector.unregister(chosen.fd)
                try:
                    frames += self._readers[chosen.fd].feed(data)
                except ValueError as error:
                    raise self._failed(awaited, str(error)) from None
        for header, _ in frames:
            if header.get("kind") == "failed":
                raise self._failed(awaited, str(header.get("reason")))
        return frames

    def close(self) -> None:
        """End the process and all that it started. Calling this twice is harmless."""
        self._end()

    def refused(self, wrong: str) -> UserError:
        """End the process because of what it said.

        Args:
            wrong: what was expected, and what was found.

        Returns:
            The error to raise; it names the log.
        """
        self.close()
        return UserError(
            f"{self.what}: vLLM's answer: expected {wrong}; use another version of vLLM, or extraction=transformers; "
            f"its log is {self.log}"
        )

    def _failed(self, awaited: str, reason: str | None = None) -> UserError:
        """End the process; the error says why, in one line.

        Args:
            awaited: what was expected.
            reason: None: it has ended by itself.
        """
        if reason is None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                reason = "it closed its pipes"
        code = self._process.poll()
        self.close()
        if reason is None:
            killed = code is not None and code < 0
            reason = _how(code) if killed else _last_error(self.log) or _how(code)
        elif any(part in reason for part in _GENERAL):
            reason = _last_error(self.log) or reason
        cure = next((f"; {cure}" for part, cure in CURES.items() if part in reason), "")
        said = f"{reason[:400].rstrip('.')}{cure}"
        return UserError(
            f"{self.what}: its vLLM process failed: expected {awaited}, found: {said}; its log is {self.log}"
        )


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"it was killed by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
    return f"it ended with status {code}"


def _last_error(log: Path) -> str | None:
    """The last error in a log that says something of its own."""
    try:
        text = log.read_text(errors="replace")[-200_000:]
    except OSError:
        return None
    found = [": ".join(match) for match in _SAID.findall(text)]
    return next((line for line in reversed(found) if not any(part in line for part in _GENERAL)), None)


def _end(
    owner: int,
    process: "subprocess.Popen[bytes]",
    selector: selectors.BaseSelector,
    descriptors: tuple[int, ...],
    temporary: str,
) -> None:
    """Kill the group; nothing in it has anything to save."""
    if os.getpid() != owner:
        return  # a fork of the owner ends
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # also where the leader has ended and others have not
    process.wait()
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    selector.close()
    for descriptor in descriptors:
        os.close(descriptor)
    shutil.rmtree(temporary, ignore_errors=True)
