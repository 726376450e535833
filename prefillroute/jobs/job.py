"""One job: records its request and how it ended; a failed job does not end its sweep."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from prefillroute.config.guard import one_line, say_error
from prefillroute.config.numbers import check_numbers
from prefillroute.config.search import check_unread
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.configuration import CONFIGURATION, check_same_configuration
from prefillroute.jobs.folder import task_overrides
from prefillroute.jobs.preemption import raise_if_told_to_stop
from prefillroute.jobs.selection import is_selected
from prefillroute.jobs.status import Status, read_status
from prefillroute.locks.file_lock import FileLock

log = logging.getLogger(__name__)

LOCK_FILE = ".job.lock"


def run_job(
    config: DictConfig,
    work: Callable[[Path], Sequence[Path]],
    is_whole: Callable[[Path], bool] | None = None,
    reword: Callable[[str], str] = str,
) -> None:
    """Do one job's work in its run folder, record its configuration in ``.hydra`` and its outcome in ``status.json``.

    A user's mistake is reported in one line on stderr. A single run then ends with status 1; in a sweep the other jobs
    continue, and the sweep's summary sets the exit status.

    Args:
        config: the job's configuration.
        work: does the work in the folder it is given; returns the files without which its results are not whole.
        is_whole: whether a folder holds the results of a job that finished. A sweep that is started again in the same
            folder skips such jobs, if their overrides are the same. None: every job is run again, for work whose
            results lie elsewhere.
        reword: makes the message of an error say what only the command line knows.

    Raises:
        UserError: the folder holds another job, or this one with another configuration, which is left unchanged. A
            single run may replace another one that did not finish.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = task_overrides(hydra.overrides)
    in_sweep = hydra.mode == RunMode.MULTIRUN
    _check_own(folder, overrides, in_sweep)
    if in_sweep and is_whole is not None and finished_earlier(folder, overrides, is_whole):
        check_same_configuration(folder, config)
        log.info("finished earlier")
        return
    if in_sweep and not is_selected(read_status(folder)):
        return
    try:
        lock = FileLock(folder / LOCK_FILE, str(folder))
    except UserError as error:
        if not in_sweep:
            raise
        log.warning("%s", error)  # by another command with the same jobs, which writes the status as well
        return
    with lock:
        status = _status_of(folder, overrides).begun()
        try:
            status.write(folder)
            _write_configuration(folder, config)
            check_unread(overrides, hydra.runtime.choices)
            check_numbers(config)
            results = tuple(str(path.absolute()) for path in _done(work, folder))
            replace((read_status(folder) or status).now("finished"), results=results).write(folder)
        except (UserError, OSError) as error:
            said = UserError(reword(one_line(error)))
            _record(folder, status, one_line(said))
            if in_sweep:
                log.debug("failed: %s", one_line(said))  # the summary prints it
            else:
                say_error(said)
                raise SystemExit(1) from None
        except Exception as error:
            _record(folder, status, f"{type(error).__name__}: {one_line(error)}")
            if not in_sweep:
                raise
            log.exception("job %s failed", " ".join(overrides))


def _done(work: Callable[[Path], Sequence[Path]], folder: Path) -> Sequence[Path]:
    """What `work` returns; its errors after a signal are not its own."""
    try:
        return work(folder)
    except Exception:
        raise_if_told_to_stop()
        raise


def finished_earlier(folder: Path, overrides: tuple[str, ...], is_whole: Callable[[Path], bool]) -> bool:
    """Whether a job with the same overrides finished in this folder and left results that `is_whole` accepts."""
    status = read_status(folder)
    finished = status is not None and status.state == "finished" and status.is_of(overrides)
    return finished and is_whole(folder)


def _check_own(folder: Path, overrides: tuple[str, ...], in_sweep: bool) -> None:
    """Make sure that two jobs never share a folder, which can happen only if the user named the folder."""
    status = read_status(folder)
    if status is None or status.is_of(overrides):
        return
    there, here = (
        " ".join(word for word in own if word not in other) or "the defaults"
        for own, other in ((status.overrides, overrides), (overrides, status.overrides))
    )
    if in_sweep:
        raise UserError(
            f"{folder}: expected a folder of this job's own, found a job with {there} where this one has {here}; "
            "leave hydra.sweep.subdir out, or take another hydra.sweep.dir"
        )
    if status.state == "finished":
        raise UserError(
            f"{folder}: expected a new folder, found a finished run with {there} where this one has {here}; "
            "take another hydra.run.dir, or delete this folder"
        )


def _write_configuration(folder: Path, config: DictConfig) -> None:
    """Write what `hydra.output_subdir` would make Hydra write, which would be before a job can refuse its folder."""
    written = folder / CONFIGURATION
    hydra = HydraConfig.get()
    nodes = {"config": config, "hydra": OmegaConf.create({"hydra": hydra}), "overrides": hydra.overrides.task}
    for name, node in nodes.items():
        write_text(written / f"{name}.yaml", OmegaConf.to_yaml(node))


def _status_of(folder: Path, overrides: tuple[str, ...]) -> Status:
    """The status from which a job starts: its last one, or a new one where another job's results are replaced."""
    status = read_status(folder)
    return status if status is not None and status.is_of(overrides) else Status("waiting", overrides)


def _record(folder: Path, status: Status, message: str) -> None:
    try:
        (read_status(folder) or status).now("failed", message).write(folder)
    except OSError:
        # The error may itself be a full or read-only disk; then the message on stderr has to suffice.
        log.debug("status.json could not be written in %s", folder)
