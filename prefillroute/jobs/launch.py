"""What the launchers do with a sweep: they skip what has finished, and submit, plan or wait for the rest."""

import logging
import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides, run_job
from omegaconf import open_dict
from submitit import JobEnvironment

from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.configuration import check_same_configuration
from prefillroute.jobs.folder import claim_folder, known_folders
from prefillroute.jobs.plan import read_plan
from prefillroute.jobs.preemption import requeue_on
from prefillroute.jobs.price import Price, measured
from prefillroute.jobs.selection import is_selected
from prefillroute.jobs.states import ask_schedulers, read_state
from prefillroute.jobs.submit import SweepJob, make_executor, request_text, submit_all, submit_some, wait_for
from prefillroute.text import hints
from prefillroute.text.printing import say

log = logging.getLogger(__name__)

OWN_SETTINGS = ("submitit_folder", "max_num_timeout", "detach", "plan", "probe")
"""Settings of a preset that submitit does not have, or that are not left to it."""
PLAN_FOLDER = "plan"
LAUNCH_LOG = "launch.log"


def launch(
    launcher: Any,
    scheduler: str,
    job_overrides: Sequence[Sequence[str]],
    first_number: int,
    value_of: Callable[[Path], Any],
) -> list[JobReturn]:
    """Bring the jobs of a sweep to an end, or with `detach` on their way.

    Args:
        launcher: Hydra's, with its settings in `params`.
        scheduler: `slurm` or `local`.
        job_overrides: the overrides of each job, Hydra's own included.
        first_number: number of the first of them in the sweep.
        value_of: reads from a job's folder what a sweeper that optimises wants of it.

    Returns:
        One entry per job, with that value.

    Raises:
        UserError: the scheduler refuses the jobs, a finished job had another configuration, or the sweeper has to see
            results before it knows its next jobs, so that the command cannot end before them.
        SystemExit: with status 0 where nobody waits for the jobs.
    """
    settings = launcher.params
    sweep_dir = Path(str(launcher.config.hydra.sweep.dir)).absolute()
    executor_settings = {key: value for key, value in settings.items() if key not in OWN_SETTINGS}
    if scheduler == "local":
        at_once = executor_settings.pop("array_parallelism")
    if settings["detach"] and read_plan(sweep_dir).jobs is None:
        raise UserError(
            "--detach: expected a sweep whose jobs are known before the first one ends, found a sweeper that chooses "
            "them by results; leave it out, and run the command where it may stay, in tmux or in a job of its own"
        )
    jobs = _missing_jobs(launcher, sweep_dir, job_overrides, first_number, claim=not settings["plan"])
    if settings["plan"]:
        executor = make_executor(scheduler, settings["submitit_folder"], executor_settings)
        _print_plan(launcher, scheduler, sweep_dir, executor, jobs)
        raise SystemExit(0)
    if not jobs:
        log.info("nothing to start: every job has finished or is in the queue")
    elif scheduler == "local" and settings["detach"]:
        _start_again_detached(launcher, sweep_dir)
    elif scheduler == "local":
        executor = make_executor(scheduler, settings["submitit_folder"], executor_settings)
        submit_some(executor, launcher, jobs, sweep_dir, at_once)
    else:
        executor = make_executor(scheduler, settings["submitit_folder"], executor_settings)
        submit_all(executor, scheduler, launcher, jobs)
        log.info("submitted to SLURM: %d", len(jobs))
    if settings["detach"]:
        say(
            "the jobs go on without this command; look at them with",
            hints.command("prefillroute", "sweep", "status", sweep_dir),
        )
        raise SystemExit(0)
    known = known_folders(sweep_dir)
    folders = [known.get(_task(overrides)) for overrides in job_overrides]
    wait_for(sweep_dir, [sweep_dir / folder for folder in folders if folder is not None])
    return [
        _returned(overrides, None if folder is None else value_of(sweep_dir / folder))
        for overrides, folder in zip(job_overrides, folders, strict=True)
    ]


@contextmanager
def on_the_other_side(folder: str, scheduler: str) -> Iterator[None]:
    """Around a job in the process that a scheduler has started: what it is told by signals is done."""
    environment: Any = JobEnvironment()
    user_signal = environment._usr_sig()
    requeue: Any = signal.getsignal(user_signal)
    if scheduler == "slurm":
        # SIGTERM is all that a job gets on a cluster where preemption sends no user signal, which is SLURM's default.
        requeue_on(Path(folder), requeue, [user_signal, signal.SIGTERM])
    else:
        requeue_on(Path(folder), requeue, [user_signal], cancelling=[signal.SIGTERM])
    yield


def _missing_jobs(
    launcher: Any, sweep_dir: Path, job_overrides: Sequence[Sequence[str]], first_number: int, claim: bool
) -> list[SweepJob]:
    """The jobs that have neither results nor a place in a queue, each with a folder of its own."""
    known = known_folders(sweep_dir)
    places = ask_schedulers(sweep_dir) if known else {}
    jobs: list[SweepJob] = []
    skipped, seen = Counter[str](), set[tuple[str, ...]]()
    for number, overrides in enumerate(job_overrides, first_number):
        task = _task(overrides)
        if task in seen:
            skipped["given twice"] += 1
            continue
        seen.add(task)
        name, status = known.get(task), None
        if name is not None:
            folder = sweep_dir / name
            state = read_state(folder, sweep_dir, places)
            status = state.status
            if status is not None and status.is_whole:
                check_same_configuration(folder, _compose(launcher, overrides))
                skipped["finished earlier"] += 1
                continue
            if state.state in ("waiting", "running"):
                skipped["in the queue already"] += 1
                continue
        if not is_selected(status):
            skipped["not selected"] += 1
            continue
        if name is None and claim:
            name = claim_folder(sweep_dir, filter_overrides(list(overrides)), number)
        folder = sweep_dir / (name or str(number))
        jobs.append(SweepJob(folder, task, (str(folder), list(overrides), number, Singleton.get_state())))
    for why, count in skipped.items():
        log.info("%s: %d of %d", why, count, len(job_overrides))
    return jobs


def _task(overrides: Sequence[str]) -> tuple[str, ...]:
    """What tells a job from others: its own overrides without Hydra's, in order."""
    return tuple(sorted(filter_overrides(list(overrides))))


def _compose(launcher: Any, overrides: Sequence[str]) -> Any:
    config = launcher.hydra_context.config_loader.load_sweep_config(launcher.config, list(overrides))
    with open_dict(config):
        del config["hydra"]
    return config


def _returned(overrides: Sequence[str], value: Any) -> JobReturn:
    returned = JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED)
    returned.return_value = value
    return returned


def _print_plan(
    launcher: Any, scheduler: str, sweep_dir: Path, executor: Any, jobs: Sequence[SweepJob]
) -> None:
    """Print what would be submitted and what it would cost; write the request that would be sent."""
    if launcher.params["probe"] and jobs:
        say(f"timing one job here: {' '.join(jobs[0].overrides) or 'the defaults'}")
        _run_here(launcher, jobs[0], sweep_dir)
        jobs = jobs[1:]
    parallel = int(launcher.params["array_parallelism"])
    price = Price.of(executor, parallel)
    say(*price.lines(len(jobs), measured(sweep_dir)))
    for job in jobs:
        say(f"  {job.folder.relative_to(sweep_dir)}  {' '.join(job.overrides) or 'the defaults'}")
    if jobs and scheduler == "slurm":
        path = sweep_dir / PLAN_FOLDER / "request.sbatch"
        write_text(path, request_text(executor, len(jobs)))
        say(f"the request that would be sent, and was not: {path}")


def _run_here(launcher: Any, job: SweepJob, sweep_dir: Path) -> None:
    """Run one job of the sweep in this process, as its own job folder."""
    _, overrides, number, _ = job.arguments
    config = launcher.hydra_context.config_loader.load_sweep_config(launcher.config, overrides)
    with open_dict(config):
        config.hydra.job.id, config.hydra.job.num = "probe", number
    HydraConfig.instance().set_config(config)
    returned = run_job(
        hydra_context=launcher.hydra_context,
        task_function=launcher.task_function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    if returned.status != JobStatus.COMPLETED:
        raise returned._return_value


def _start_again_detached(launcher: Any, sweep_dir: Path) -> None:
    """Start this very command once more in a session of its own, to start jobs when this one has ended."""
    hydra = launcher.config.hydra
    words = [sys.executable, "-m", "prefillroute.cli.main", hydra.job.name, *sys.argv[1:]]
    words = [word for word in words if not word.startswith("hydra.launcher.detach=")]
    log_path = sweep_dir / LAUNCH_LOG
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("a") as out:
        print("$", shlex.join(words), file=out, flush=True)
        started = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=os.getcwd()
        )
    say(f"process {started.pid} starts the jobs a few at a time; it writes {log_path}")
