"""Bad input ends in one line on stderr and exit status 1, never in a traceback (DESIGN section 9)."""

import os
import sys
from collections.abc import Callable

from prefillroute.errors import UserError

DEBUG_VARIABLE = "PREFILLROUTE_TRACEBACK"
"""Set to 1 to see the traceback of a user error as well."""


def guarded(command: Callable[[], int]) -> int:
    """Call ``command``; say a user's or the machine's mistake in one line instead of raising it.

    Returns:
        The command's exit status, 1 after an error, 130 after Ctrl-C.
    """
    try:
        return command()
    except (UserError, OSError) as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks; for an ``OSError`` the file and what the system said."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'input or output'}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
