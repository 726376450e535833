"""Finds the folder of a job in a sweep: the one in which it started earlier, or else a new one.

Jobs are distinguished only by their overrides. A sweep that is started again with more, fewer or reordered values finds
each job in its folder, and two jobs never share a folder.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prefillroute.jobs.status import Status, read_status

RESOLVER = "prefillroute.job_folder"
"""`hydra.sweep.subdir` is this resolver's value. Hydra asks for it before it writes into the folder."""


def register_job_folder() -> None:
    """Make the resolver known to OmegaConf. Idempotent."""
    OmegaConf.register_new_resolver(RESOLVER, _resolve, replace=True)


def task_overrides(overrides: Any) -> tuple[str, ...]:
    """A job's overrides as they were typed, from the node `hydra.overrides`."""
    return tuple(map(str, OmegaConf.to_container(overrides.task, resolve=False) or ()))


def job_folder(sweep_dir: Path, overrides: Sequence[str], number: int) -> str:
    """The folder of a job, created if it is new.

    Args:
        sweep_dir: folder of the sweep.
        overrides: overrides of the job; their order does not matter.
        number: number of the job in this sweep, and the name of its folder if that is free.

    Returns:
        The folder, relative to `sweep_dir`. Its status.json names the job from the moment it is created, so that jobs
        that start at the same time take different folders.
    """
    found = known_folders(sweep_dir).get(tuple(sorted(overrides)))
    return found or claim_folder(sweep_dir, overrides, number)


def known_folders(sweep_dir: Path) -> dict[tuple[str, ...], str]:
    """Sorted overrides -> folder relative to `sweep_dir`, for each job that has one; of several, the finished one."""
    found: dict[tuple[str, ...], list[tuple[bool, tuple[int, str], Path]]] = {}
    for folder, status in _jobs(sweep_dir):
        place = (status.state != "finished", _age(folder), folder)
        found.setdefault(tuple(sorted(status.overrides)), []).append(place)
    return {job: min(places)[-1].relative_to(sweep_dir).as_posix() for job, places in found.items()}


def claim_folder(sweep_dir: Path, overrides: Sequence[str], number: int) -> str:
    """Create a folder for a job that has none; see `job_folder`."""
    names = [path.name for path in sweep_dir.iterdir()] if sweep_dir.is_dir() else []
    behind = max((int(name) for name in names if name.isdecimal()), default=-1) + 1
    for name in itertools.chain([number], itertools.count(behind)):
        folder = sweep_dir / str(name)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        Status("waiting", tuple(overrides)).write(folder)
        return str(name)
    raise AssertionError("the numbers have no end")


def _resolve(*, _root_: DictConfig) -> str:
    hydra = _root_.hydra
    return job_folder(Path(hydra.sweep.dir), task_overrides(hydra.overrides), int(hydra.job.num))


def _jobs(folder: Path) -> Iterator[tuple[Path, Status]]:
    """The job folders below a folder, at any depth, with the overrides that they name."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.startswith(".") or not path.is_dir():
            continue
        status = read_status(path) or _begun(path)
        if status is not None:
            yield path, status
        else:
            yield from _jobs(path)


def _begun(folder: Path) -> Status | None:
    """The job of a folder that has lost its status.json, by what Hydra wrote."""
    try:
        found = OmegaConf.to_container(OmegaConf.load(folder / ".hydra" / "overrides.yaml"), resolve=False)
    except (OSError, YAMLError, OmegaConfBaseException):
        return None
    return Status("failed", tuple(map(str, found))) if isinstance(found, list) else None


def _age(folder: Path) -> tuple[int, str]:
    """Sorts folders by their number, where they have one."""
    return (int(folder.name) if folder.name.isdecimal() else 0, folder.as_posix())
