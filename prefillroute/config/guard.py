"""Makes bad input end in one line on stderr and exit status 1, never in a traceback (DESIGN section 9)."""

import os
import re
import sys
from collections.abc import Callable

from prefillroute.errors import UserError
from prefillroute.text.printing import close_quietly, flush_quietly, say, tolerate_every_character

DEBUG_VARIABLE = "PREFILLROUTE_TRACEBACK"
"""Environment variable; set it to 1 to see the traceback of a user error too."""


def guarded(command: Callable[[], int]) -> int:
    """Call ``command``; report a mistake of the user or the machine in one line instead of raising it.

    Returns:
        The command's exit status; 1 after an error, 130 after Ctrl-C, and 141 (a shell's status for SIGPIPE) if a
        library printed to a pipe whose reader had closed it.
    """
    tolerate_every_character()
    try:
        return command()
    except BrokenPipeError:
        close_quietly(sys.stdout)
        return 141
    except (UserError, OSError) as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        say_error(error)
        return 1
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here", stderr=True)
        return 130
    finally:
        flush_quietly()


def say_error(error: BaseException) -> None:
    """Print an error to standard error as one line."""
    say(f"error: {one_line(error)}", stderr=True)


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks; for an ``OSError``, the file and the system's message."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'input or output'}: {error.strerror}"
    # Blanks inside a name stay; a library's message of several lines becomes one line.
    return re.sub(r"\s*\n\s*", " ", str(error).strip()) or type(error).__name__
