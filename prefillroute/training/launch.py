"""Start ``train.py``: Hydra composes, mistakes end in one line, a failed job of a sweep does not end the sweep."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from prefillroute.caches.commands import run_words, with_own_facts
from prefillroute.config.compose import compose_options
from prefillroute.config.explain import COMPOSITION_ERRORS, explain
from prefillroute.config.guard import guarded, one_line, say_error
from prefillroute.config.schema import register_schemas
from prefillroute.errors import UserError
from prefillroute.training.status import Status, finished_earlier, read_status

log = logging.getLogger(__name__)


def launch(main: Callable[[], None]) -> None:
    """Run a ``hydra.main`` function and leave the process with its exit status."""
    register_schemas()
    # With this Hydra re-raises what went wrong instead of printing its own excerpt of the traceback.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.exit(guarded(lambda: _compose_and_run(main)))


def _compose_and_run(main: Callable[[], None]) -> int:
    try:
        main()
    except COMPOSITION_ERRORS as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None  # of a callback's constructor; Hydra's own words would hide it
        raise UserError(explain(error, compose_options(sys.argv[1:]))) from error
    return 0


def job(work: Callable[[Path], None]) -> None:
    """Do one job's work in its run folder and record how it ended in ``status.json``.

    A user's mistake is one line on stderr. Alone, the process then ends with status 1; in a sweep the other jobs
    go on and the sweep's summary sets the exit status. A sweep that is started again in the same folder leaves the
    jobs alone that finished earlier with the same overrides.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = tuple(hydra.overrides.task)
    in_sweep = hydra.mode == RunMode.MULTIRUN
    if in_sweep:
        if finished_earlier(folder, overrides):
            log.info("finished earlier")
            return
        _clear_other(folder, overrides)
    try:
        Status("running", overrides).write(folder)
        work(folder)
        Status("finished", overrides).write(folder)
    except (UserError, OSError) as error:
        said = UserError(with_own_facts(one_line(error), run_words(hydra)))
        _record(folder, overrides, one_line(said))
        if in_sweep:
            log.debug("failed: %s", one_line(said))  # the summary prints it
        else:
            say_error(said)
            raise SystemExit(1) from None
    except Exception as error:
        _record(folder, overrides, f"{type(error).__name__}: {one_line(error)}")
        if not in_sweep:
            raise
        log.exception("job %s failed", " ".join(overrides))


def _clear_other(folder: Path, overrides: tuple[str, ...]) -> None:
    """Remove what a job of another definition of the sweep left: none of it may be taken for this job's."""
    status = read_status(folder)
    if status is None or status.is_of(overrides):
        return
    log.info("held another job (%s); run anew", " ".join(status.overrides))
    for path in folder.iterdir():
        if path.is_dir() and path.name != ".hydra":
            shutil.rmtree(path)
        elif path.is_file() and path.suffix != ".log":
            path.unlink()


def _record(folder: Path, overrides: tuple[str, ...], message: str) -> None:
    try:
        Status("failed", overrides, message).write(folder)
    except OSError:
        # A full or read-only disk is what is being reported; the message on stderr has to do.
        log.debug("status.json could not be written in %s", folder)
