"""A job of a sweep finds its folder by its overrides, and two jobs never share one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from prefillroute.jobs.folder import job_folder, register_job_folder, task_overrides
from prefillroute.jobs.status import Status, read_status


def run_sweep(sweep: Path, jobs: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Every job in turn, as Hydra would: ask for the folder, finish in it."""
    folders = {}
    for number, overrides in enumerate(jobs):
        folder = job_folder(sweep, overrides, number)
        assert folder == job_folder(sweep, overrides, number)  # Hydra may ask more than once
        Status("finished", overrides).write(sweep / folder)
        folders[tuple(sorted(overrides))] = folder
    return folders


def test_a_value_more_and_another_order_leave_each_job_where_it_is(tmp_path: Path) -> None:
    first = run_sweep(tmp_path, [("head=a", "seed=0"), ("head=a", "seed=1")])
    assert list(first.values()) == ["0", "1"]
    again = run_sweep(tmp_path, [("seed=2", "head=a"), ("seed=0", "head=a"), ("seed=1", "head=a")])
    assert list(again.values()) == ["2", "0", "1"]
    assert run_sweep(tmp_path, [("head=b", "seed=0")]) == {("head=b", "seed=0"): "3"}


@settings(deadline=None, max_examples=40)
@given(sweeps=st.lists(st.lists(st.integers(0, 8), unique=True, max_size=6), max_size=4))
def test_any_sequence_of_sweeps_keeps_jobs_apart(tmp_path_factory, sweeps) -> None:
    sweep = tmp_path_factory.mktemp("sweep")
    where: dict[tuple[str, ...], str] = {}
    for seeds in sweeps:
        for job, folder in run_sweep(sweep, [("head=a", f"seed={seed}") for seed in seeds]).items():
            assert where.setdefault(job, folder) == folder
    assert len(set(where.values())) == len(where)
    shutil.rmtree(sweep)


def test_jobs_that_start_at_once_take_different_folders(tmp_path: Path) -> None:
    Status("finished", ("seed=old",)).write(tmp_path / "0")
    with ThreadPoolExecutor(16) as pool:  # a launcher may start them all together, each with its number
        folders = list(pool.map(lambda seed: job_folder(tmp_path, (f"seed={seed}",), seed), range(16)))
    assert len(set(folders)) == 16
    assert "0" not in folders
    assert all(read_status(tmp_path / folders[seed]).overrides == (f"seed={seed}",) for seed in range(16))


def test_jobs_are_found_at_any_depth_and_without_their_status(tmp_path: Path) -> None:
    Status("finished", ("seed=3",)).write(tmp_path / "head=a" / "seed=3")
    hydra = tmp_path / "7" / ".hydra"
    hydra.mkdir(parents=True)
    (hydra / "overrides.yaml").write_text("- head=a\n- seed=4\n")
    (tmp_path / "7" / "status.json").write_text('{"state": "fini')
    assert job_folder(tmp_path, ("seed=3",), 0) == "head=a/seed=3"
    assert job_folder(tmp_path, ("seed=4", "head=a"), 0) == "7"
    assert job_folder(tmp_path, ("seed=5",), 7) == "8"


def test_of_two_folders_of_a_job_the_finished_one_is_its(tmp_path: Path) -> None:
    Status("failed", ("seed=0",)).write(tmp_path / "0")
    Status("finished", ("seed=0",)).write(tmp_path / "10")
    Status("finished", ("seed=0",)).write(tmp_path / "9")
    assert job_folder(tmp_path, ("seed=0",), 0) == "9"


def test_the_resolver_takes_overrides_as_they_were_typed(tmp_path: Path) -> None:
    register_job_folder()
    task = ["pool.outcomes=${paths.data}/x", "seed=0"]
    config = OmegaConf.create(
        {
            "paths": {"data": "data"},
            "hydra": {
                "sweep": {"dir": str(tmp_path), "subdir": "${prefillroute.job_folder:}"},
                "overrides": {"task": task},
                "job": {"num": 4},
            },
        }
    )
    assert config.hydra.sweep.subdir == "4"
    assert task_overrides(config.hydra.overrides) == tuple(task)
    assert read_status(tmp_path / "4").overrides == tuple(task)
    config.hydra.job.num = 5
    assert config.hydra.sweep.subdir == "4"
