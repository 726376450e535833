"""How a job stands, judged by its folder and by what its scheduler says of it."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prefillroute.errors import UserError
from prefillroute.jobs.feeder import feeding
from prefillroute.jobs.find import find_job, newest_sweep
from prefillroute.jobs.schedulers.contract import Place, Submission
from prefillroute.jobs.selection import is_selected, selected
from prefillroute.jobs.states import read_states
from prefillroute.jobs.status import STATUS_FILE, Status, read_status, run_id
from prefillroute.locks.holder import Holder

LONG_AGO = 1000.0
HERE = Holder.me()
GONE = replace(HERE, started="another start")
ELSEWHERE = replace(HERE, host="node17")


def submission(job: str = "7_0", submitted: float = LONG_AGO) -> Submission:
    return Submission("slurm", job, ("out.log",), submitted, 60.0)


@pytest.mark.parametrize(
    ("status", "submitted", "places", "state", "said"),
    [
        (Status("finished"), True, {}, "finished", None),
        (Status("failed", (), "no\nroom"), True, {}, "failed", "no room"),
        (Status("cancelled"), True, {"7_0": Place(True, "COMPLETING")}, "cancelled", "cancelled"),
        (Status("waiting"), False, {}, "missing", "has not begun"),
        (Status("running", holder=HERE), False, {}, "running", "still running"),
        (Status("running", holder=GONE), False, {}, "lost", "was killed"),
        (Status("running", holder=ELSEWHERE), False, {}, "running", "on node17"),
        (Status("running"), False, {}, "lost", "was killed"),
        (
            Status("waiting"),
            True,
            {"7_0": Place(False, "PENDING (Priority)")},
            "waiting",
            "PENDING (Priority)",
        ),
        (Status("waiting", starts=2), True, {"7_0": Place(False, "PENDING")}, "waiting", "after 2 starts"),
        (Status("waiting"), True, {"7_0": Place(True, "RUNNING")}, "running", "still running"),
        (Status("running", progress="epoch 3"), True, {"7_0": Place(True, "RUNNING")}, "running", "epoch 3"),
        # Queued again by SLURM itself, before its process could say so.
        (Status("running", starts=1), True, {"7_0": Place(False, "PENDING")}, "waiting", "after 1 start"),
        (Status("running", holder=ELSEWHERE), True, {}, "lost", "slurm no longer knows job 7_0"),
        (Status("waiting"), True, {}, "lost", "slurm no longer knows job 7_0"),
        # Its scheduler was not asked, or did not answer.
        (Status("waiting"), True, None, "waiting", "waits for its start"),
        (Status("running", holder=ELSEWHERE), True, None, "running", "on node17"),
    ],
)
def test_a_job_is_judged_by_its_folder_and_its_scheduler(
    tmp_path: Path, status: Status, submitted: bool, places: dict | None, state: str, said: str | None
) -> None:
    replace(status, updated=LONG_AGO).write(tmp_path / "0")
    if submitted:
        submission().write(tmp_path / "0")
    asked = None if places is None else {("slurm", job): place for job, place in places.items()}
    (found,) = read_states(tmp_path, asked)
    assert found.state == state
    assert (found.error is None) if said is None else (said in found.error)


def test_a_file_may_come_late_over_a_network(tmp_path: Path) -> None:
    """A job that has left the queue is not lost until its last words have had time to arrive."""
    replace(Status("running", holder=ELSEWHERE), updated=time.time()).write(tmp_path / "0")
    submission().write(tmp_path / "0")
    assert read_states(tmp_path, {})[0].state == "running"


def test_what_waits_for_a_command_that_still_runs_is_not_missing(tmp_path: Path) -> None:
    Status("waiting").write(tmp_path / "0")
    with feeding(tmp_path):
        assert read_states(tmp_path, {})[0].state == "waiting"
    assert read_states(tmp_path, {})[0].state == "missing"


def test_a_status_of_an_earlier_version_and_half_a_file(tmp_path: Path) -> None:
    old = {"state": "finished", "overrides": ["seed=1"], "error": None}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / STATUS_FILE).write_text(json.dumps(old))
    assert read_status(tmp_path / "a").is_of(("seed=1",))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / STATUS_FILE).write_text(json.dumps(old)[:20])
    assert read_status(tmp_path / "b") is None
    assert [state.state for state in read_states(tmp_path)] == ["finished", "lost"]


def test_the_name_of_a_job_stays_through_all_its_starts(tmp_path: Path) -> None:
    status = Status("waiting")
    status.write(tmp_path)
    for _ in range(3):
        status = (read_status(tmp_path) or pytest.fail("no status")).begun()
        status.write(tmp_path)
        status.now("waiting").write(tmp_path)
    assert run_id(tmp_path) == status.run_id
    assert (len(status.run_id), read_status(tmp_path).starts) == (8, 3)
    assert run_id(tmp_path / "nothing") != run_id(tmp_path / "nothing")


def test_a_finished_job_without_its_files_is_not_whole(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.json"
    metrics.touch()
    status = Status("finished", results=(str(metrics),))
    assert status.is_whole
    metrics.unlink()
    assert not status.is_whole


def test_time_counts_while_a_job_runs_and_not_while_it_waits() -> None:
    status = replace(Status("waiting"), updated=time.time() - 500).begun()
    assert status.seconds == 0
    ran = replace(status, updated=status.updated - 20).now("waiting")
    assert ran.seconds == pytest.approx(20, abs=1)
    assert replace(ran, updated=ran.updated - 500).begun().seconds == ran.seconds


@pytest.mark.parametrize(
    ("which", "chosen"),
    [
        ("unfinished", ["cancelled", "failed", "none", "running"]),
        ("failed", ["failed"]),
        ("missing", ["cancelled", "none", "running"]),
    ],
)
def test_which_jobs_are_started_again(which, chosen: list[str]) -> None:
    jobs = {"none": None} | {state: Status(state) for state in ("failed", "cancelled", "running")}
    with selected(which):
        assert sorted(name for name, status in jobs.items() if is_selected(status)) == chosen
    assert is_selected(Status("failed"))


def test_a_job_is_found_by_what_a_person_types(tmp_path: Path) -> None:
    for number, overrides in enumerate((("head=a", "seed=0"), ("head=a", "seed=1"), ("head=b", "seed=0"))):
        Status("finished", overrides).write(tmp_path / str(number))
        submission(f"7_{number}").write(tmp_path / str(number))
    found = read_states(tmp_path)
    for name in ("1", str(tmp_path / "1"), "7_1", "seed=1", "seed=1 head=a"):
        assert find_job(name, tmp_path, found).folder == "1"
    for name, several in (("head=a", "2 jobs, 0, 1"), ("7", "none"), ("", "none"), ("head=", "none")):
        with pytest.raises(UserError, match=f"expected one job called '{name}', found {several}"):
            find_job(name, tmp_path, found)


def test_the_newest_sweep_is_the_one_that_was_started_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="name one with --sweep"):
        newest_sweep(tmp_path / "runs")
    for age, name in enumerate(("b", "c/d", "a")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        plan = tmp_path / "runs" / name / "sweep.json"
        plan.write_text("{}")
        os.utime(plan, (LONG_AGO - age, LONG_AGO - age))
    assert newest_sweep(tmp_path / "runs") == tmp_path / "runs" / "b"
    monkeypatch.setenv("PREFILLROUTE_RUNS", str(tmp_path / "runs"))
    assert newest_sweep() == tmp_path / "runs" / "b"
