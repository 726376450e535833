"""How many threads: what a job was given, in each form that says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prefillroute import threads


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(affinity, lines, {file: text})`: allow so many CPUs, and lay out cgroups."""

    def lay_out(affinity: int = 64, own: str = "0::/", files: dict[str, str] | None = None) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)))
        (tmp_path / "own").write_text(own)
        for name, text in (files or {}).items():
            path = tmp_path / "mounted" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(threads, "OWN_CGROUPS", tmp_path / "own")
        monkeypatch.setattr(threads, "CGROUPS", tmp_path / "mounted")

    return lay_out


@pytest.mark.parametrize(
    ("environment", "count"),
    [
        ({}, 64),
        ({"SLURM_CPUS_PER_TASK": "8"}, 8),
        ({"SLURM_CPUS_PER_TASK": "128"}, 64),
        ({"SLURM_CPUS_PER_TASK": "8", "OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "100"}, 100),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": " 5 "}, 5),
        ({"OMP_NUM_THREADS": "", "SLURM_CPUS_PER_TASK": "8"}, 8),
        ({"OMP_NUM_THREADS": "0"}, 64),
        ({"OMP_NUM_THREADS": "many", "SLURM_CPUS_PER_TASK": "8(x2)"}, 64),
        ({"SLURM_CPUS_PER_TASK": "-1"}, 64),
    ],
)
def test_the_users_word_wins_then_the_least_of_what_was_given(environment, count, machine):
    machine(64)
    assert threads.allowed(environment) == count


CGROUPS = {
    "v2": ("0::/job", {"job/cpu.max": "400000 100000", "cpu.max": "max 100000"}, 4),
    "v2, the parent's is less": ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2),
    "v2, in a container": ("0::/", {"cpu.max": "300000 100000"}, 3),
    "v2, the host's path": ("0::/../../docker/x", {"cpu.max": "300000 100000"}, 3),
    "v2, half a CPU": ("0::/", {"cpu.max": "50000 100000"}, 1),
    "v2, one and a half": ("0::/", {"cpu.max": "150000 100000"}, 2),
    "v2, none": ("0::/", {"cpu.max": "max 100000"}, None),
    "v1": (
        "4:memory:/job\n3:cpu,cpuacct:/job\n",
        {"cpu,cpuacct/job/cpu.cfs_quota_us": "600000\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"},
        6,
    ),
    "v1, none": (
        "3:cpu:/job",
        {"cpu/job/cpu.cfs_quota_us": "-1\n", "cpu/job/cpu.cfs_period_us": "100000\n"},
        None,
    ),
    "both": (
        "3:cpu:/\n0::/",
        {"cpu/cpu.cfs_quota_us": "500000", "cpu/cpu.cfs_period_us": "100000"},
        5,
    ),
    "a controller of another name": ("3:cpuset:/", {"cpuset/cpu.max": "100000 100000"}, None),
    "nothing mounted": ("0::/job", {}, None),
}


@pytest.mark.parametrize("case", CGROUPS)
def test_cgroup_quota(case, machine):
    own, files, count = CGROUPS[case]
    machine(64, own, files)
    assert threads.cgroup_cpus(threads.OWN_CGROUPS, threads.CGROUPS) == count
    assert threads.allowed({}) == (count or 64)
    assert threads.allowed({"SLURM_CPUS_PER_TASK": "1"}) == 1


def test_without_cgroups_affinity_counts(machine):
    machine(3)
    assert threads.cgroup_cpus(Path("nowhere"), Path("nowhere")) is None
    assert threads.allowed({}) == 3


def test_one_thread_each_still_leaves_all_cores_to_processes(machine):
    machine(16)
    environment = {"OMP_NUM_THREADS": "1"}
    threads.settle(environment)
    assert environment["LOKY_MAX_CPU_COUNT"] == "16"
    assert threads.cores(environment) == 16


def test_a_job_that_inherits_the_environment_counts_again(machine):
    """As `sbatch` hands a login node's environment on; what the user set there stays."""
    machine(64)
    environment: dict[str, str] = {"RAYON_NUM_THREADS": "5"}
    threads.settle(environment)
    assert environment["OMP_NUM_THREADS"] == "64"
    job = environment | {"SLURM_CPUS_PER_TASK": "8"}
    threads.settle(job)
    assert (job["OMP_NUM_THREADS"], job["LOKY_MAX_CPU_COUNT"], job["RAYON_NUM_THREADS"]) == ("8", "8", "5")
    changed = environment | {"SLURM_CPUS_PER_TASK": "8", "OMP_NUM_THREADS": "2"}
    threads.settle(changed)
    assert changed["OMP_NUM_THREADS"] == "2"


def test_what_is_set_stays():
    environment = {"OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "7", "SLURM_CPUS_PER_TASK": "2"}
    threads.settle(environment)
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"
    assert not set(threads.WAITING) & set(environment)
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["RAYON_NUM_THREADS"] == "7"


COUNTS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT", threads.MARK)
ENTRIES = ["prefillroute.cli.main", "prefillroute.training.run"]
SEE = """
import sys

class Watch:
    # Asked before every import: the settings must be there when a library with threads is first looked for.
    def find_spec(self, name, path=None, target=None):
        import os
        if name in ("torch", "numpy", "faiss", "xgboost", "sklearn"):
            print(name, os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OMP_NUM_THREADS"))

sys.meta_path.insert(0, Watch())
import {entry}
import torch
print("threads", torch.get_num_threads())
"""


@pytest.mark.parametrize("entry", ENTRIES)
def test_settings_are_there_before_the_libraries(entry):
    """In the process itself: torch takes one thread of the job's, where the machine has more."""
    environment = {k: v for k, v in os.environ.items() if k not in (*threads.WAITING, *COUNTS)}
    seen = subprocess.run(
        [sys.executable, "-c", SEE.format(entry=entry)],
        env=environment | {"SLURM_CPUS_PER_TASK": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "torch 1000 1" in seen
    assert {line for line in seen if line.split()[0] != "threads"} == {
        f"{line.split()[0]} 1000 1" for line in seen if line.split()[0] != "threads"
    }
    assert seen[-1] == "threads 1"
