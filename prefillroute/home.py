"""Places in the user's home: the package's cache folder, and one for libraries when the home is not writable."""

import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

VARIABLE = "MPLCONFIGDIR"


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give matplotlib a folder for its font list if it cannot create its own; the user's own setting is kept.

    Without such a folder it warns in every run and rebuilds the list each time.
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
        if own.stat().st_uid != os.getuid():  # it belongs to somebody else: use a folder with a random name
            own = Path(tempfile.mkdtemp(prefix="prefillroute-"))
        environment[VARIABLE] = str(own)
    except OSError:
        return  # there is nowhere to write at all, and matplotlib will say so itself


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's folder for what can be made again: `$XDG_CACHE_HOME/prefillroute`, or ~/.cache/prefillroute."""
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prefillroute"
