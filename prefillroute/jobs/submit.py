"""Submits the jobs of a sweep with submitit: all at once to a cluster, or a few at a time on this machine."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedSubmissionError

from prefillroute import threads
from prefillroute.errors import UserError
from prefillroute.jobs.feeder import feeding
from prefillroute.jobs.schedulers.contract import Submission
from prefillroute.jobs.states import JobState, ask_schedulers, read_state
from prefillroute.jobs.status import Status, read_status
from prefillroute.locks.holder import Holder

log = logging.getLogger(__name__)

LONGEST_POLL_S = 15.0
SECONDS_BETWEEN_LINES = 60.0


@dataclass(frozen=True)
class SweepJob:
    """A job that is to be submitted."""

    folder: Path
    overrides: tuple[str, ...]
    arguments: tuple[Any, ...]
    """What the function that runs it on the other side is called with."""


def make_executor(scheduler: str, folder: str, settings: Mapping[str, Any]) -> submitit.AutoExecutor:
    """submitit's executor.

    Args:
        scheduler: `slurm` or `local`.
        folder: for submitit's own files, with `%j` for the job.
        settings: those of Hydra's submitit launcher.

    Raises:
        UserError: there is no such scheduler on this machine, or a setting is refused.
    """
    common = {
        "timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name",
        "stderr_to_stdout",
    }  # fmt: skip
    # Whether a job is requeued is decided by its progress (`jobs.preemption`), not by a number of time-outs.
    first = {f"{scheduler}_max_num_timeout": 1_000_000}
    rest = {key if key in common else f"{scheduler}_{key}": value for key, value in settings.items()}
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=scheduler, **first)
        executor.update_parameters(**rest)
    except RuntimeError as error:
        raise UserError(
            f"hydra/launcher: expected a machine with SLURM's commands, found none ({error}); run this on a login node "
            "of the cluster, or take hydra/launcher=local"
        ) from error
    except (NameError, TypeError, ValueError) as error:
        raise UserError(f"hydra.launcher: {' '.join(str(error).split())}") from error
    return executor


def request_text(executor: submitit.AutoExecutor, jobs: int) -> str:
    """The batch file with which SLURM would be asked to run so many jobs."""
    inner: Any = executor._executor
    if jobs > 1:
        inner = type(inner)(inner.folder, inner.max_num_timeout)
        inner.update_parameters(**executor._executor.parameters)
        inner.parameters["map_count"] = jobs
    return str(inner._make_submission_file_text(inner._submitit_command_str, "plan"))


def submit_all(
    executor: submitit.AutoExecutor, scheduler: str, run: Callable[..., Any], jobs: Sequence[SweepJob]
) -> None:
    """Submit all jobs at once, as one array if there are several, and note in each folder under what name.

    Raises:
        UserError: the scheduler refuses them; then their folders are as if the jobs had never been submitted.
    """
    for job in jobs:
        _waiting(job)
    try:
        if len(jobs) == 1:
            submitted = [executor.submit(run, *jobs[0].arguments)]
        else:
            submitted = executor.map_array(run, *zip(*(job.arguments for job in jobs), strict=True))
    except (FailedSubmissionError, OSError) as error:
        raise UserError(f"the scheduler refused the jobs: {' '.join(str(error).split())}") from error
    for job, given in zip(jobs, submitted, strict=True):
        _submission(executor, scheduler, given).write(job.folder)


def submit_some(
    executor: submitit.AutoExecutor,
    run: Callable[..., Any],
    jobs: Sequence[SweepJob],
    sweep_dir: Path,
    at_once: int,
) -> None:
    """Run jobs on this machine, so many at once, until all have ended."""
    left = list(jobs)
    # With submitit's own objects, without which a process stays a zombie.
    running: list[tuple[SweepJob, Any]] = []
    with feeding(sweep_dir), _threads_each(at_once):
        for job in jobs:
            _waiting(job)
        report = _Reporter(len(jobs))
        while left or running:
            while left and len(running) < at_once:
                job = left.pop(0)
                given = executor.submit(run, *job.arguments)
                _submission(executor, "local", given).write(job.folder)
                running.append((job, given))
            time.sleep(0.5)
            running = [(job, given) for job, given in running if not given.done()]
            report(len(jobs) - len(left) - len(running), len(running), len(left))


def wait_for(sweep_dir: Path, folders: Sequence[Path]) -> None:
    """Wait until the job of every folder has ended, whatever way: with results, an error, or without a word.

    A scheduler that does not answer is asked again; folders alone tell what has finished.
    """
    report = _Reporter(len(folders))
    pause = 1.0
    states: list[JobState] = []
    while True:
        try:
            places = ask_schedulers(sweep_dir)
            states = [read_state(folder, sweep_dir, places) for folder in folders]
        except UserError as error:
            log.warning("%s; asking again", error)
            states = [read_state(folder, sweep_dir) for folder in folders]
        ended = sum(state.has_ended for state in states)
        if ended == len(folders):
            return
        running = sum(state.state == "running" for state in states)
        report(ended, running, len(folders) - ended - running)
        time.sleep(pause)
        pause = min(LONGEST_POLL_S, pause * 1.2)


class _Reporter:
    """Logs how many jobs have ended whenever that changes, and otherwise once a minute."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._last, self._said = jobs, (-1, -1, -1), 0.0

    def __call__(self, ended: int, running: int, waiting: int) -> None:
        counts, now = (ended, running, waiting), time.monotonic()
        if counts == self._last or (counts[0] == self._last[0] and now - self._said < SECONDS_BETWEEN_LINES):
            return
        self._last, self._said = counts, now
        log.info("ended: %d of %d; %d running, %d waiting", ended, self._jobs, running, waiting)


def _waiting(job: SweepJob) -> None:
    status = read_status(job.folder) or Status("waiting", job.overrides)
    replace(status.now("waiting"), stalled=0, progress="").write(job.folder)


def _submission(executor: submitit.AutoExecutor, scheduler: str, given: Any) -> Submission:
    parameters = executor._executor.parameters
    minutes = parameters.get("time", parameters.get("timeout_min", 0))
    return Submission(
        scheduler=scheduler,
        job=given.job_id,
        logs=(str(given.paths.stdout), str(given.paths.stderr)),
        submitted=time.time(),
        minutes=float(minutes),
        gpus=int(parameters.get("gpus_per_node") or 0) * int(parameters.get("nodes") or 1),
        details=asdict(Holder.of(int(given.job_id))) if scheduler == "local" else {},
    )


@contextmanager
def _threads_each(at_once: int) -> Iterator[None]:
    """Give every process its part of the cores; two jobs with a thread for every core each would crawl."""
    if threads.is_chosen():
        yield
        return
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(max(1, threads.cores() // at_once))
    try:
        yield
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before
