"""The one place where an import waits until it is needed.

PyTorch and transformers take seconds to import, so that a command's work is imported when the command is run, and not
where its arguments are declared. Only `cli`, the uppermost room, loads modules by name: no such import can point up.
"""

import importlib
from types import ModuleType

from prefillroute.errors import UserError
from prefillroute.text.hints import install


def load(module: str, extra: str | None = None) -> ModuleType:
    """Import what does a command's work.

    Args:
        module: inside the package, for instance `cli.route`.
        extra: the optional dependencies that it needs.

    Raises:
        UserError: one of those is not installed.
    """
    try:
        return importlib.import_module(f"prefillroute.{module}")
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").partition(".")[0] == "prefillroute":
            raise
        raise UserError(f"this command needs the package '{error.name}'; run {install(extra)}") from error
