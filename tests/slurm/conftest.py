"""A real SLURM, and a user's folder on it. `slurm/local_cluster.sh start` starts one on this machine."""

from pathlib import Path

import pytest

from tests.slurm.site import Site, epoch, slurm, wait


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
