"""Signals to a real process: what is written, with which status it ends, and who is asked to queue it again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prefillroute.jobs.preemption import STARTS_WITHOUT_PROGRESS
from prefillroute.jobs.schedulers.contract import Submission
from prefillroute.jobs.status import Status, read_status

ROOT = Path(__file__).parents[2]
JOB = textwrap.dedent("""
    import signal, sys, time
    from pathlib import Path
    from prefillroute.jobs.preemption import raise_if_told_to_stop, requeue_on
    from prefillroute.jobs.progress import JobProgress
    from prefillroute.jobs.status import read_status

    folder, requeueing, progress, seconds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])

    def requeue(number, frame):
        (folder / "requeued").write_text(signal.Signals(number).name)
        if requeueing == "fails":
            raise RuntimeError("scontrol: no")
        sys.exit(-1)

    cancelling = [signal.SIGTERM] if requeueing == "local" else []
    requeue_on(folder, requeue, [s for s in (signal.SIGUSR2, signal.SIGTERM) if s not in cancelling], cancelling)
    read_status(folder).begun().write(folder)
    if progress:
        JobProgress(folder)(progress)
    try:
        print("ready", flush=True)
        try:
            time.sleep(60)
        except SystemExit:
            if requeueing == "swallowed":
                try:
                    raise RuntimeError("unexpected pos")  # as torch does
                except RuntimeError:
                    raise_if_told_to_stop()
            raise
    finally:
        (folder / "finally").touch()
        time.sleep(seconds)
""")


def stop(
    folder: Path, *signals: signal.Signals, requeueing: str = "works", progress: str = "", slow: float = 0.0
) -> tuple[int, Status]:
    """Start the job, send it signals; gives its exit status and what its folder says afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder), requeueing, progress, str(slow)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("SLURM_")},
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    for each in signals:
        process.send_signal(each)
        time.sleep(0.2)
    process.communicate(timeout=60)
    assert (folder / "finally").exists()
    return process.returncode, read_status(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Status("waiting", ("seed=1",)).write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["SIGUSR2", "SIGTERM"])
def test_either_signal_queues_the_job_again(folder: Path, name: str) -> None:
    code, status = stop(folder, signal.Signals[name], progress="epoch 2 of 9")
    assert code == 255
    assert (status.state, status.starts, status.progress) == ("waiting", 1, "epoch 2 of 9")
    assert (folder / "requeued").read_text() == name
    assert status.holder is None


def test_a_library_that_turns_the_signal_into_an_error_changes_nothing(folder: Path) -> None:
    code, status = stop(folder, signal.SIGTERM, requeueing="swallowed")
    assert (code, status.state) == (255, "waiting")


def test_several_signals_for_one_event_are_one_stop(folder: Path) -> None:
    """A cluster sends the user signal, SIGCONT and SIGTERM within a second."""
    signals = (signal.SIGUSR2, signal.SIGTERM, signal.SIGTERM)
    code, status = stop(folder, *signals, slow=1.0)
    assert (code, status.state, (folder / "requeued").read_text()) == (255, "waiting", "SIGUSR2")


def test_a_job_that_cannot_be_queued_again_says_so(folder: Path) -> None:
    code, status = stop(folder, signal.SIGUSR2, requeueing="fails")
    assert code == 1
    assert (status.state, status.error) == ("failed", "SIGUSR2: it could not be queued again: scontrol: no")


def test_on_this_machine_sigterm_ends_a_job_for_good(folder: Path) -> None:
    code, status = stop(folder, signal.SIGTERM, requeueing="local")
    assert (code, status.state) == (128 + signal.SIGTERM, "cancelled")
    assert not (folder / "requeued").exists()


def test_a_cancelled_job_is_not_queued_again(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder), "works", "", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    read_status(folder).now("cancelled").write(folder)  # as `prefillroute sweep cancel` does
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert read_status(folder).state == "cancelled"
    assert not (folder / "requeued").exists()


def submitted(folder: Path, minutes: float) -> None:
    Submission("slurm", "7", (), time.time(), minutes).write(folder)


def test_a_job_that_never_gets_anywhere_before_its_limit_fails(folder: Path) -> None:
    submitted(folder, minutes=1)
    for start in range(1, STARTS_WITHOUT_PROGRESS):
        code, status = stop(folder, signal.SIGUSR2)
        assert (code, status.state, status.stalled) == (255, "waiting", start)
    code, status = stop(folder, signal.SIGUSR2)
    assert (code, status.state) == (1, "failed")
    assert "reached its time limit 3 times in a row without progress" in status.error
    assert "hydra.launcher.timeout_min=" in status.error


def test_progress_and_preemption_long_before_the_limit_do_not_count(folder: Path) -> None:
    submitted(folder, minutes=1)
    replace(read_status(folder), stalled=2).write(folder)
    assert stop(folder, signal.SIGUSR2, progress="epoch 3")[1].stalled == 0
    submitted(folder, minutes=600)
    replace(read_status(folder), stalled=2).write(folder)
    code, status = stop(folder, signal.SIGTERM)
    assert (code, status.state, status.stalled) == (255, "waiting", 2)


def test_the_folder_holds_plain_json(folder: Path) -> None:
    stop(folder, signal.SIGUSR2)
    assert json.loads((folder / "status.json").read_text())["state"] == "waiting"
