"""Lines to standard output and standard error that no text and no reader can break.

Tables and progress bars are in :mod:`prefillroute.text.screen`; nothing else in the package prints.
"""

import io
import json
import logging
import os
import sys
from contextlib import suppress
from typing import IO, Any, TextIO

from prefillroute.text.visible import encodable, hidden, visible


def say(*lines: str, stderr: bool = False) -> None:
    """Print lines, each one line whatever is in it. A reader that has closed the pipe is told no more."""
    stream = sys.stderr if stderr else sys.stdout
    encoding = getattr(stream, "encoding", None)
    write(stream, "".join(f"{encodable(visible(line), encoding)}\n" for line in lines))


def say_json(value: Any) -> None:
    """Print one JSON document in a line; what is no sign, or none of the stream's, is a JSON escape."""
    text = json.dumps(value, ensure_ascii=False)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = not any(map(hidden, text)) and encodable(text, encoding) == text
    write(sys.stdout, f"{text if plain else json.dumps(value)}\n")


def write(stream: TextIO, text: str) -> None:
    """Write and flush; after a closed pipe the stream leads nowhere, and the work goes on."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        close_quietly(stream)


def close_quietly(stream: IO[str]) -> None:
    """Lead a stream whose reader is gone to nowhere: neither its buffer nor Python's end may complain of it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def flush_quietly() -> None:
    """Write out what others printed, before Python's end would complain of a closed pipe."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError):
            write(stream, "")


def tolerate_every_character() -> None:
    """Have both standard streams escape what their encoding lacks: help texts, log lines, libraries' words."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class LogFormatter(logging.Formatter):
    """Log lines, each one line whatever is in it; a traceback below keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        return visible(super().formatMessage(record))


class LogHandler(logging.StreamHandler):
    """Log lines to a stream whose reader may go."""

    def handleError(self, record: logging.LogRecord) -> None:
        """After a closed pipe the stream leads nowhere."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            close_quietly(self.stream)
        else:
            super().handleError(record)
