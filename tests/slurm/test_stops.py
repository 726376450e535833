"""What a job that is stopped in the middle leaves behind: it goes on, with the numbers of one that never stopped."""

import re
from pathlib import Path

import pytest

from tests.slurm.site import Site, all_ended, epoch, slurm, states, wait

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]


def went_on_after(folder: Path) -> int:
    """The epoch after which the last start of a job went on, by its log."""
    found = re.findall(r"training goes on after epoch (\d+)", (folder / "train.log").read_text())
    assert found, "it began anew"
    return int(found[-1])


def undisturbed(site: Site, long_jobs: dict[str, Path]) -> dict:
    """The metrics of a job that nobody stopped."""
    (job,) = wait(long_jobs["undisturbed"], all_ended)
    assert (job.state, job.status.starts) == ("finished", 1)
    return site.metrics(long_jobs["undisturbed"] / job.folder)


def test_a_job_that_reaches_its_time_limit_goes_on(site: Site, long_jobs: dict[str, Path]) -> None:
    sweep = long_jobs["limited"]
    (job,) = wait(sweep, all_ended, 500)
    assert job.state == "finished", job.error
    assert job.status.starts == 2
    assert "USR2" in (sweep / "0" / "train.log").read_text()
    assert went_on_after(sweep / "0") > 0
    assert site.metrics(sweep / "0") == undisturbed(site, long_jobs)


def test_a_preempted_job_goes_on(site: Site, long_jobs: dict[str, Path]) -> None:
    expected = undisturbed(site, long_jobs)
    wait(long_jobs["limited"], all_ended, 500)
    sweep = site.launch("preempted", "trainer=long")
    (job,) = wait(sweep, lambda found: epoch(found[0]) > 500)
    before = epoch(job)
    slurm("sbatch", "--partition=high", "--cpus-per-task=8", "--mem=1G", "--output=/dev/null", "--wrap=true")
    (job,) = wait(sweep, lambda found: found[0].state == "waiting", 60)
    assert "PENDING" in job.error
    assert epoch(job) >= before
    (job,) = wait(sweep, all_ended)
    assert (job.state, job.status.starts) == ("finished", 2)
    assert went_on_after(sweep / "0") > before / 2
    assert "SIGTERM: saved" in (sweep / "0" / "train.log").read_text()  # all that SLURM sends by default
    assert site.metrics(sweep / "0") == expected
    assert [state.folder for state in states(sweep)] == ["0"]
