"""Finds the variants of a thing by walking the package that holds them: a new one is a file, and no list names it."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

Kind = TypeVar("Kind")


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Import every module that lies directly in `package`, in the order of their names."""
    for found in pkgutil.iter_modules(package.__path__):
        if not found.ispkg:
            yield importlib.import_module(f"{package.__name__}.{found.name}")


def classes_of(package: ModuleType, kind: type[Kind]) -> dict[str, type[Kind]]:
    """The concrete classes of a kind that the modules directly in `package` define, by the name of their module.

    Args:
        package: one component per module; a module that defines none, as that of the contract, is left out.
        kind: the base class.

    Example:
        >>> from prefillroute import calibration
        >>> from prefillroute.calibration.contract import Calibrator
        >>> "platt" in classes_of(calibration, Calibrator)
        True
    """
    return {
        module_name(found): found
        for module in modules_of(package)
        for found in vars(module).values()
        if inspect.isclass(found)
        and found.__module__ == module.__name__
        and issubclass(found, kind)
        and not inspect.isabstract(found)
    }


def module_name(kind: type) -> str:
    """The name of the module that defines a class, without its package: that of its option in `conf/`.

    Example:
        >>> from prefillroute.calibration.platt import PlattCalibrator
        >>> module_name(PlattCalibrator)
        'platt'
    """
    return kind.__module__.rpartition(".")[2]
