"""Prints lines to standard output and standard error, whatever is in the text and even if the reader goes away.

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
    """Print lines; each stays one line, whatever is in it. Once the reader has closed the pipe, print nothing."""
    stream = sys.stderr if stderr else sys.stdout
    encoding = getattr(stream, "encoding", None)
    write(stream, "".join(f"{encodable(visible(line), encoding)}\n" for line in lines))


def say_json(value: Any) -> None:
    """Print one JSON document in a line; if it has characters that cannot be shown here, print it all in ASCII."""
    text = json.dumps(value, ensure_ascii=False)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = not any(map(hidden, text)) and encodable(text, encoding) == text
    write(sys.stdout, f"{text if plain else json.dumps(value)}\n")


def write(stream: TextIO, text: str) -> None:
    """Write and flush; if the pipe is closed, discard this and all later output, and carry on."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        close_quietly(stream)


def close_quietly(stream: IO[str]) -> None:
    """Redirect a stream whose reader is gone to nowhere, so that neither its buffer nor Python's exit complains."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def flush_quietly() -> None:
    """Flush what others printed, because Python would complain of a closed pipe on exit."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError):
            write(stream, "")


def tolerate_every_character() -> None:
    """Make both standard streams escape what their encoding lacks: help texts, log lines, libraries' output."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class LogFormatter(logging.Formatter):
    """Formats log messages so that each stays one line, whatever is in it; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format the message without its traceback."""
        return visible(super().formatMessage(record))


class LogHandler(logging.StreamHandler):
    """Logs to a stream whose reader may go away."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Discard all later output if the pipe is closed; report any other error."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            close_quietly(self.stream)
        else:
            super().handleError(record)
