"""What a job on a cluster does when it is told to stop: it is queued again, and continues from what it has saved.

Of submitit and Lightning only submitit requeues. Lightning is told that there is no cluster (`modules.one_process`).
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from prefillroute.jobs.schedulers.contract import read_submission
from prefillroute.jobs.status import Status, read_status

log = logging.getLogger(__name__)

STARTS_WITHOUT_PROGRESS = 3
"""A job that reaches its time limit this often in a row without progress fails; it would be requeued for ever."""

REQUEUED = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "PREEMPTED", "COMPLETING")
"""States in which SLURM refuses to requeue a job since it is doing so itself. After COMPLETING a job may also be over,
which `sweep status` then shows as lost."""

Handler = Callable[[int, FrameType | None], Any]


class Preempted(SystemExit):
    """Ends a process whose job will be started again. Not an error: `finally` blocks run and files stay whole."""


def requeue_on(
    folder: Path,
    requeue: Handler,
    signals: Sequence[signal.Signals],
    cancelling: Sequence[signal.Signals] = (),
) -> None:
    """From now on each of these signals requeues the job of a folder and ends this process.

    Schedulers send several signals for one event, for instance a user signal and then SIGTERM; all but the first one
    are ignored. A cancelled job gets SIGTERM too; it is not requeued.

    Args:
        folder: the job's folder.
        requeue: submitit's signal handler. It queues the job again and exits.
        signals: what requeues.
        cancelling: what ends the job for good.
    """
    before = read_status(folder)
    progress = "" if before is None else before.progress
    began = time.monotonic()
    handled = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal handled
        if handled:
            return  # Lightning puts handlers back that were there before its fit, so they cannot just be removed
        handled = True
        try:
            end(number, frame)
        except SystemExit as left:
            _left.append(left)
            raise

    def end(number: int, frame: FrameType | None) -> None:
        status = (read_status(folder) or Status("running")).now("waiting")
        name = signal.Signals(number).name
        if number in cancelling or _is_cancelled(folder):
            status.now("cancelled").write(folder)
            log.warning("%s: cancelled", name)
            raise SystemExit(128 + number)
        if status.progress != progress:
            status = replace(status, stalled=0)
        elif _at_limit(folder, time.monotonic() - began):
            status = replace(status, stalled=status.stalled + 1)
        if status.stalled >= STARTS_WITHOUT_PROGRESS:
            message = (
                f"{name}: reached its time limit {status.stalled} times in a row without progress, so it is not "
                "started again; give it more time, for instance hydra.launcher.timeout_min=240"
            )
            status.now("failed", message).write(folder)
            log.error(message)
            raise SystemExit(1)
        # First, because a requeued job is killed within seconds.
        status.write(folder)
        log.warning("%s: saved; the job is queued again and continues from here", name)
        try:
            requeue(number, frame)
        except SystemExit as left:
            raise Preempted(left.code) from None
        except Exception as error:
            if _slurm_state() in REQUEUED:  # which SLURM does by itself when it preempts
                raise Preempted(1) from None
            status.now("failed", f"{name}: it could not be queued again: {error}").write(folder)
            raise SystemExit(1) from error

    for each in (*signals, *cancelling):
        signal.signal(each, handle)


_left: list[SystemExit] = []
"""What ended this process, once a signal has."""


def raise_if_told_to_stop() -> None:
    """Raise again what a signal has raised.

    It comes in the middle of any line, and some libraries turn it into an error of their own: torch, for instance,
    where it writes a file. Such an error is not the job's.

    Raises:
        SystemExit: a signal has ended this process.
    """
    if _left:
        raise _left[0]


def _at_limit(folder: Path, seconds: float) -> bool:
    """Whether a start that lasted so long was ended by its time limit; else a job with precedence ended it.

    Schedulers do not say which. The signal comes some time before the limit, so that the last two minutes count, and
    the second half of the time.
    """
    submission = read_submission(folder)
    return submission is not None and seconds > min(submission.minutes * 30, submission.minutes * 60 - 120)


def _is_cancelled(folder: Path) -> bool:
    """Whether `prefillroute sweep cancel` or `scancel` ended the job."""
    status = read_status(folder)
    return (status is not None and status.state == "cancelled") or _slurm_state() == "CANCELLED"


def _slurm_state() -> str | None:
    """SLURM's word for the state of this process's job; None outside of a job, or if the controller does not answer."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return None
    words = ("scontrol", "show", "job", "--oneliner", job)
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return next((word.partition("=")[2] for word in said.split() if word.startswith("JobState=")), None)
