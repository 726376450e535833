"""`hydra/launcher=local`: jobs as processes of this machine, whose command may end before they do."""

import os
import signal
from pathlib import Path

import pytest

from prefillroute.jobs.feeder import feeder_of
from tests.slurm.site import QUICK, Site, all_ended, epoch, states, wait

LOCAL = ("train", "-m", *QUICK, "hydra/launcher=local", "report=false", "bundle=false")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.build()
    return site


def test_a_failing_job_ends_neither_the_sweep_nor_what_has_finished(site: Site) -> None:
    done = site(*LOCAL, "layers.layers=[1],[7]")
    (sweep,) = (site.root / "runs" / "sweeps").iterdir()
    assert done.returncode == 1
    assert "found [7]" in done.stdout
    finished, failed = states(sweep)
    assert (finished.state, failed.state) == ("finished", "failed")
    assert finished.submission.scheduler == "local"
    assert feeder_of(sweep) is None


def test_a_detached_sweep_outlives_its_command_and_can_be_cancelled(site: Site) -> None:
    words = (
        "seed=0,1,2",
        "hydra.launcher.array_parallelism=1",
        "hydra.sweep.dir=runs/detached",
        "trainer=long",
    )
    done = site(*LOCAL, *words, "--detach", check=True)
    sweep = site.root / "runs" / "detached"
    assert "prefillroute sweep status" in done.stdout
    first, second, third = wait(sweep, lambda found: len(found) == 3 and epoch(found[0]) > 0)
    assert (first.state, second.state, third.state) == ("running", "waiting", "waiting")
    # A killed job is lost, and the next one begins.
    os.kill(first.status.holder.pid, signal.SIGKILL)
    found = wait(sweep, lambda found: epoch(found[1]) > 0)
    assert [state.state for state in found] == ["lost", "running", "waiting"]
    done = site("sweep", "cancel", "--sweep", str(sweep), check=True)
    assert done.stdout == "2 jobs cancelled, 1 had ended before\n"
    found = wait(sweep, lambda found: all_ended(found) and feeder_of(sweep) is None)
    assert [state.state for state in found] == ["lost", "cancelled", "cancelled"]


def test_a_plan_for_this_machine(site: Site) -> None:
    said = site("sweep", "plan", *LOCAL, "seed=0,1", "head=logistic,constant", check=True).stdout
    assert "4 jobs would be submitted, 2 at once" in said
    assert not list((site.root / "runs" / "sweeps").glob("head-seed-*/[0-9]*"))


def test_a_plan_says_how_many_gpus_the_encoders_need(tmp_path: Path) -> None:
    words = ("extract", "encoder=qwen35_122b,smollm2_135m", "pool=starter", "hydra/launcher=local")
    said = Site(tmp_path)("sweep", "plan", *words, check=True).stdout  # -m goes without saying
    assert "2 jobs would be submitted" in said
    assert "qwen35_122b: 244 GB of weights, 4 GPUs of 80 GiB for each job" in said
    assert "smollm2_135m: 0.27 GB of weights, 1 GPU of 80 GiB for each job" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status",), "expected a sweep's folder below, found none"),
        (
            ("status", "--sweep", "runs/none"),
            "runs/none: expected the folder of a sweep, found no such folder",
        ),
        (("plan", "route"), "expected one of train, extract, embed, perplexity, found route"),
        (("plan", "train", "seed=0,1"), "hydra.launcher.plan: expected a launcher that has this setting"),
        (("rerun", "--sweep", "runs/none"), "runs/none/sweep.json: expected the sweep's command, found none"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = Site(tmp_path)("sweep", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
