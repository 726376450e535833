"""`prefillroute sweep VERB`: what can be done with a sweep while its jobs wait, run or have ended."""

import argparse
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from prefillroute.cli.apps import TASKS
from prefillroute.cli.apps import run as run_application
from prefillroute.cli.dispatch import load
from prefillroute.errors import UserError
from prefillroute.jobs.feeder import feeder_of
from prefillroute.jobs.find import find_job, newest_sweep
from prefillroute.jobs.logs import follow, last_lines, log_files
from prefillroute.jobs.plan import read_plan
from prefillroute.jobs.selection import Selection, selected
from prefillroute.jobs.states import JobState, ask_schedulers, missing, read_states, scheduler
from prefillroute.reports.sweep_status import status_table, summary_line
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says; return the exit status."""
    verbs = {"plan": plan, "status": status, "tail": tail, "why": why, "rerun": rerun, "cancel": cancel}
    return verbs[arguments.verb](arguments)


def plan(arguments: argparse.Namespace) -> int:
    """Print what a command would submit, and write the request."""
    words = list(arguments.words)
    command = words[0] if words else "nothing"
    if command not in TASKS:
        raise UserError(f"prefillroute sweep plan: expected one of {', '.join(TASKS)}, found {command}")
    several = [] if {"-m", "--multirun"} & set(words) else ["-m"]  # or Hydra would run the job
    probe = ["hydra.launcher.probe=true"] if arguments.probe else []
    left = run_application(command, [*several, *words[1:], "hydra.launcher.plan=true", *probe])
    if command == "extract":
        load("cli.encoders").say_gpus(words[1:])
    return left


def status(arguments: argparse.Namespace) -> int:
    """Print the table of jobs, once or until all have ended. The status is 1 if a job ended without results."""
    sweep_dir = arguments.sweep or newest_sweep()
    screen = Screen(columns=160)
    while True:
        states = read_states(sweep_dir, ask_schedulers(sweep_dir))
        never = missing(read_plan(sweep_dir).jobs or (), [state.overrides for state in states])
        if arguments.json:
            for state in states:
                say(json.dumps(_as_json(state)))
        else:
            if arguments.watch:
                screen.clear()
            say(str(sweep_dir))
            screen.table(status_table(sweep_dir, states, screen))
            say(summary_line(states, never))
        if not arguments.watch or all(state.has_ended for state in states):
            return int(any(state.has_ended and state.state != "finished" for state in states) or never > 0)
        time.sleep(max(0.5, arguments.watch))


def tail(arguments: argparse.Namespace) -> int:
    """Print the end of a job's log."""
    sweep_dir = arguments.sweep or newest_sweep()
    state = find_job(arguments.job, sweep_dir, read_states(sweep_dir))
    path = log_files(sweep_dir, state)[0]
    say(*last_lines(path, arguments.lines))
    if arguments.follow:
        follow(path, lambda: find_job(state.folder, sweep_dir, _states(sweep_dir)).has_ended)
    return 0


def why(arguments: argparse.Namespace) -> int:
    """Say why a job did not finish."""
    sweep_dir = arguments.sweep or newest_sweep()
    state = find_job(arguments.job, sweep_dir, _states(sweep_dir))
    say(f"{sweep_dir / state.folder}  {' '.join(f'{key}={value}' for key, value in state.overrides.items())}")
    say(f"{state.state}{'' if state.error is None else f': {state.error}'}")
    if state.status is not None and state.status.starts:
        far = f"; was at: {state.status.progress}" if state.status.progress else ""
        say(
            f"{state.status.starts} start{'s' * (state.status.starts > 1)}, {state.status.seconds:.0f} s{far}"
        )
    if state.submission is not None:
        say(*filter(None, [scheduler(state.submission.scheduler).ending(state.submission)]))
    for path in log_files(sweep_dir, state):
        say(f"log: {path}", *(f"  {line}" for line in last_lines(path, 5)))
    return 0


def rerun(arguments: argparse.Namespace) -> int:
    """Run the sweep's command again, for all jobs that did not finish or for one kind of them."""
    sweep_dir = arguments.sweep or newest_sweep()
    words = read_plan(sweep_dir).arguments
    if not words:
        raise UserError(
            f"{sweep_dir / 'sweep.json'}: expected the sweep's command, found none; run it yourself"
        )
    which: Selection = "failed" if arguments.failed else "missing" if arguments.missing else "unfinished"
    with selected(which):
        return run_application(words[0], [*words[1:], *(["--detach"] if arguments.detach else [])])


def cancel(arguments: argparse.Namespace) -> int:
    """Mark jobs as cancelled, then tell the scheduler."""
    sweep_dir = arguments.sweep or newest_sweep()
    states = _states(sweep_dir)
    chosen = [find_job(job, sweep_dir, states) for job in arguments.jobs] or states
    feeder = None if arguments.jobs else feeder_of(sweep_dir)
    if feeder is not None and feeder.is_here:
        os.kill(feeder.pid, signal.SIGTERM)  # before the jobs, or it would start the next ones
    going = [state for state in chosen if not state.has_ended]
    for state in going:
        assert state.status is not None
        state.status.now("cancelled").write(sweep_dir / state.folder)
    _cancel(going)
    say(f"{len(going)} job{'s' * (len(going) != 1)} cancelled, {len(chosen) - len(going)} had ended before")
    return 0


def _cancel(states: Sequence[JobState]) -> None:
    submissions = [state.submission for state in states if state.submission is not None]
    for name in dict.fromkeys(submission.scheduler for submission in submissions):
        scheduler(name).cancel([each for each in submissions if each.scheduler == name])


def _states(sweep_dir: Path) -> list[JobState]:
    return read_states(sweep_dir, ask_schedulers(sweep_dir))


def _as_json(state: JobState) -> dict[str, object]:
    fields = asdict(state)
    return {key: fields[key] for key in ("folder", "state", "overrides", "error", "status", "submission")}
