"""The one place that delays an import until it is needed.

PyTorch and transformers take seconds to import, so a command's work is imported when the command runs, not when its
arguments are declared. Only `cli`, the top room, loads modules by name, so no such import can point upwards.
"""

import importlib
from types import ModuleType

from prefillroute.errors import UserError
from prefillroute.text.hints import install


def load(module: str, extra: str | None = None) -> ModuleType:
    """Import the module that does a command's work.

    Args:
        module: name of the module inside the package, for instance `cli.route`.
        extra: the set of optional dependencies that it needs.

    Raises:
        UserError: one of these dependencies is not installed.
    """
    try:
        return importlib.import_module(f"prefillroute.{module}")
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").partition(".")[0] == "prefillroute":
            raise
        raise UserError(
            f"command: expected the package '{error.name}', found it not installed; run {install(extra)}"
        ) from error
