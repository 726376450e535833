"""Where libraries keep what they remember, when the user's home cannot be written to."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "MPLCONFIGDIR"


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give matplotlib a folder for its list of fonts where it could not make its own; what the user has set stays.

    Without one it warns in every run, and builds the list anew each time.
    """
    if VARIABLE in environment:
        return
    folder = Path(environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME") or "/") / ".config")
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if os.access(there, os.W_OK):
        return
    try:
        own = Path(tempfile.gettempdir()) / f"prefillroute-{os.getuid()}"
        own.mkdir(mode=0o700, exist_ok=True)
        if own.stat().st_uid != os.getuid():  # somebody else's: a folder of a name that nobody knows
            own = Path(tempfile.mkdtemp(prefix="prefillroute-"))
        environment[VARIABLE] = str(own)
    except OSError:
        return  # nowhere to write at all: matplotlib says so itself
