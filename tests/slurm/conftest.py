"""A real SLURM, and a user's folder on it. `slurm/local_cluster.sh start` starts one on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.slurm.site import Site, epoch, slurm, wait

REQUIRED = "PREFILLROUTE_SLURM"
"""Environment variable that makes a missing cluster an error; `.ci/run` sets it."""


@pytest.fixture(scope="session")
def cluster() -> None:
    """The cluster of `slurm/local_cluster.sh`, and no other: these tests fill every node and preempt its jobs."""
    try:
        said = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, timeout=30)
        name = next(
            (line.split()[-1] for line in said.stdout.splitlines() if line.startswith("ClusterName")), "none"
        )
    except (OSError, subprocess.TimeoutExpired):
        name = "none"
    if name == "prefillroute-local":
        return
    message = f"expected the cluster of `slurm/local_cluster.sh start`, found {name}"
    if os.environ.get(REQUIRED):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def site(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with a pool, an encoder and its cache."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.build()
    return site


@pytest.fixture(scope="session")
def long_jobs(site: Site) -> dict[str, Path]:
    """Sweeps of one long job each, by what happens to it; they run on while the other tests do.

    SLURM looks at time limits every half minute, so that the limit is set once the job is in the middle of its work.
    """
    undisturbed = site.launch("undisturbed", "trainer=long")
    limited = site.launch(
        "limited", "trainer=long", "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=60"
    )
    (job,) = wait(limited, lambda found: epoch(found[0]) > 0)
    slurm("scontrol", "update", f"JobId={job.submission.job}", "TimeLimit=1")
    wait(limited, lambda found: found[0].state != "running")
    slurm("scontrol", "update", f"JobId={job.submission.job}", "TimeLimit=30")
    return {"undisturbed": undisturbed, "limited": limited}
