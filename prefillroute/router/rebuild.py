"""Classes of this package, made again from a dotted name and plain values.

A bundle comes from other people: it may name classes, but only those that the rooms listed here define. Nothing
outside them is imported, and nothing is unpickled (DESIGN section 6).
"""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError


def dotted_name(component: object) -> str:
    """``package.module.Class`` of an object's class, as Hydra's `_target_` writes it."""
    cls = type(component)
    return f"{cls.__module__}.{cls.__qualname__}"


def find_class(target: str, room: str, where: Path) -> type:
    """The class that `target` names, which must be defined inside `room` (a package, with all below it).

    Raises:
        UserError: `target` lies outside `room`, or there is no such class; `where` is the file that names it.
    """
    module_name, _, class_name = target.rpartition(".")
    if not (module_name == room or module_name.startswith(f"{room}.")):
        raise UserError(f"{where}: class '{target}' is not part of {room}, the only place it may come from")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError:
        found = None
    if not inspect.isclass(found) or found.__module__ != module_name:
        raise UserError(f"{where}: no class '{target}' in this version of prefillroute; train again")
    return found


def build(target: str, room: str, arguments: Mapping[str, Any], where: Path) -> Any:
    """An object of the class `target`, from keyword arguments.

    Raises:
        UserError: the class is not allowed or does not take these arguments.
    """
    cls = find_class(target, room, where)
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: '{target}' does not take what the bundle gives it: {error}") from error
