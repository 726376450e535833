"""Sets how many threads this process may use and how idle ones wait. Imports no library that starts threads.

The libraries (torch, OpenBLAS, MKL, FAISS, XGBoost, scikit-learn, each with its own OpenMP) read their settings when
they are loaded, so `settle` must run before any of them is imported; the rooms `cli` and `training` call it.
"""

import math
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

WAITING = {
    "GOMP_SPINCOUNT": "1000",  # GNU OpenMP, which comes with torch; a few microseconds
    "KMP_BLOCKTIME": "0",  # Intel's and LLVM's OpenMP; in milliseconds
    "OPENBLAS_THREAD_TIMEOUT": "4",  # 2^4 cycles instead of 2^26
}
"""Settings that send idle threads to sleep. By default, a thread spins for milliseconds after each piece of work to
wait for the next; with two jobs on one machine, spinning threads then take the cores from working ones. A short spin is
kept: the probes of a layer are thousands of small products, and a thread that slept after each would have to be woken
for the next."""
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
MARK = "PREFILLROUTE_SETTLED"
"""Variable that lists what `settle` has set, so that a job that inherits the environment elsewhere counts again."""


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let idle threads sleep, and limit libraries to `allowed` threads; settings that the user has made stay."""
    for name, _, value in (pair.partition("=") for pair in environment.get(MARK, "").split()):
        if environment.get(name) == value:
            del environment[name]
    count = str(allowed(environment))
    counts = {
        "OMP_NUM_THREADS": count,  # OpenMP, BLAS, Arrow
        "RAYON_NUM_THREADS": count,  # tokenizers
        "LOKY_MAX_CPU_COUNT": str(cores(environment)),  # joblib's processes
    }
    ours = {name: value for name, value in counts.items() if name not in environment}
    environment.update(ours)
    environment[MARK] = " ".join(f"{name}={value}" for name, value in ours.items())
    if "OMP_WAIT_POLICY" not in environment:
        for name, value in WAITING.items():
            environment.setdefault(name, value)


def is_chosen(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether OMP_NUM_THREADS is set, by someone else than `settle`."""
    own = f"OMP_NUM_THREADS={environment.get('OMP_NUM_THREADS')}"
    return "OMP_NUM_THREADS" in environment and own not in environment.get(MARK, "").split()


def allowed(environment: Mapping[str, str] = os.environ) -> int:
    """Number of threads for this process: OMP_NUM_THREADS if it is set, otherwise `cores`."""
    # A list gives one number per nesting level; the first counts. Anything but a positive number counts as not set.
    return _positive(environment.get("OMP_NUM_THREADS", "").split(",")[0]) or cores(environment)


def cores(environment: Mapping[str, str] = os.environ) -> int:
    """Number of cores that the job was given: the least of SLURM_CPUS_PER_TASK, affinity and cgroup quota."""
    slurm = _positive(environment.get("SLURM_CPUS_PER_TASK", ""))
    return min(count for count in (_affinity(), cgroup_cpus(OWN_CGROUPS, CGROUPS), slurm) if count)


def cgroup_cpus(own: Path, mounted: Path) -> int | None:
    """CPUs that the cgroup's quota amounts to, rounded up: the least of its own and its parents'. None without a quota.

    Args:
        own: file in which the kernel lists this process's cgroups, one line ``id:controllers:path`` each.
        mounted: folder where they are mounted: version 2 at the top, each controller of version 1 in a subfolder.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    quotas = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # Inside a container the path may be the host's; then only the top folder can be read.
        top = mounted / controllers if controllers else mounted
        if not controllers or "cpu" in controllers.split(","):
            folder = top.joinpath(*(part for part in path.split("/") if part not in ("", "..")))
            quotas += [_quota(each) for each in (folder, *folder.parents) if each.is_relative_to(top)]
    return min((math.ceil(quota) for quota in quotas if quota), default=None)


def _quota(folder: Path) -> float | None:
    """CPUs that one cgroup's quota amounts to; None without a quota."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (
                (folder / name).read_text().strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
    except OSError:
        return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _affinity() -> int:
    # macOS has no affinity.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _positive(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isdecimal() and int(text) else None
