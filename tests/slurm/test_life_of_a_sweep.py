"""A sweep on a real SLURM, from its plan to its end, with every verb of `prefillroute sweep`."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from prefillroute.jobs.states import read_states
from tests.slurm.site import PRESET, QUICK, TINY, Site, activations, all_ended, epoch, slurm, states, wait

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]

TWO_BY_TWO = ("train", "-m", *QUICK, *PRESET)


@pytest.fixture(scope="module")
def swept(site: Site, long_jobs: dict[str, Path]) -> tuple[Path, str]:
    """The folder of a sweep of four jobs that has ended, and what its command printed."""
    done = site(*TWO_BY_TWO, "layers.layers=[1],[2]", "seed=0,1", check=True)
    (sweep,) = (site.root / "runs" / "sweeps").iterdir()
    return sweep, done.stdout


def test_two_by_two_jobs_run_as_one_array_and_are_summed_up(swept: tuple[Path, str]) -> None:
    sweep, printed = swept
    found = states(sweep)
    assert [state.state for state in found] == ["finished"] * 4
    assert {(state.overrides["layers.layers"], state.overrides["seed"]) for state in found} == {
        (layers, seed) for layers in ("[1]", "[2]") for seed in ("0", "1")
    }
    submissions = [state.submission for state in found]
    assert len({submission.job.partition("_")[0] for submission in submissions}) == 1
    assert sorted(submission.job.partition("_")[2] for submission in submissions) == ["0", "1", "2", "3"]
    assert all(submission.scheduler == "slurm" for submission in submissions)
    assert "submitted to SLURM: 4" in printed
    assert (sweep / "summary.csv").exists()
    assert len({state.status.run_id for state in found}) == 4


def test_the_same_command_in_another_order_has_nothing_to_do(site: Site, swept: tuple[Path, str]) -> None:
    sweep, _ = swept
    before = [state.submission for state in states(sweep)]
    done = site(*TWO_BY_TWO, "seed=1,0", "layers.layers=[2],[1]", check=True)
    assert "finished earlier: 4 of 4" in done.stdout
    assert "nothing to start" in done.stdout
    assert [state.submission for state in states(sweep)] == before
    assert list((site.root / "runs" / "sweeps").iterdir()) == [sweep]


def test_a_plan_says_what_it_would_cost_and_sends_nothing(site: Site, swept: tuple[Path, str]) -> None:
    sweep, _ = swept
    queue = slurm("squeue", "--noheader", "--array", "--format=%i")
    words = [*TWO_BY_TWO[1:], "layers.layers=[1],[2]", "seed=0,1"]
    said = site("sweep", "plan", "train", *words, "num_folds=3", check=True).stdout
    assert "4 jobs would be submitted, 4 at once, each for at most 2.0 h" in said
    assert "no job of this sweep has finished" in said
    request = Path(said.rstrip().rpartition(": ")[2])
    text = (site.root / request).read_text()
    for line in (
        "--array=0-3%4",
        "--time=120",
        "--mem=1GB",
        "--cpus-per-task=1",
        "--requeue",
        "--signal=USR2@60",
    ):
        assert f"#SBATCH {line}\n" in text
    assert not list((site.root / request).parents[1].glob("[0-9]*"))
    said = site("sweep", "plan", "train", *words, f"hydra.sweep.dir={sweep}", check=True).stdout
    assert "0 jobs would be submitted" in said
    assert "(median of 4)" in said
    assert set(slurm("squeue", "--noheader", "--array", "--format=%i").split()) <= set(queue.split())


def test_status_shows_what_came_out(site: Site, swept: tuple[Path, str]) -> None:
    sweep, _ = swept
    done = site("sweep", "status", "--sweep", str(sweep), check=True)
    assert done.stdout.rstrip().endswith("4 jobs: 4 finished")
    auc = json.loads((sweep / "0" / "metrics.json").read_text())["test"]["mean_auc"]
    assert f"{auc:.3f}" in done.stdout
    lines = site("sweep", "status", "--json", "--sweep", str(sweep), check=True).stdout.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["finished"] * 4


def test_the_log_of_a_job_is_found_by_any_of_its_names(site: Site, swept: tuple[Path, str]) -> None:
    sweep, _ = swept
    job = states(sweep)[2]
    names = [job.folder, job.submission.job, "layers.layers=[2] seed=0", str(sweep / job.folder)]
    said = {
        site("sweep", "tail", name, "-n", "3", "--sweep", str(sweep), check=True).stdout for name in names
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 3
    several = site("sweep", "tail", "seed=0", "--sweep", str(sweep))
    assert several.returncode == 1
    assert "expected one job called 'seed=0', found 2 jobs" in several.stderr


def test_a_failing_job_is_listed_while_the_others_finish(site: Site, long_jobs: dict[str, Path]) -> None:
    done = site(*TWO_BY_TWO, "layers.layers=[1],[7]", "hydra.sweep.dir=runs/failing")
    sweep = site.root / "runs" / "failing"
    assert done.returncode == 1
    assert "expected layers in the cache of toy, [0, 1, 2], found [7]" in done.stdout
    assert [state.state for state in states(sweep)] == ["finished", "failed"]
    why = site("sweep", "why", "1", "--sweep", str(sweep), check=True).stdout
    assert "failed: layers.layers: expected layers in the cache of toy" in why
    assert "1 start, " in why
    assert "SLURM: COMPLETED" in why  # which is why nobody may believe it
    assert "log: " in why
    table = site("sweep", "status", "--sweep", str(sweep))
    assert table.returncode == 1
    assert table.stdout.rstrip().endswith("2 jobs: 1 finished, 1 failed")
    # What failed is started again on request, and only that.
    assert site("sweep", "rerun", "--missing", "--sweep", str(sweep)).returncode == 1
    assert states(sweep)[1].status.starts == 1
    site("sweep", "rerun", "--failed", "--sweep", str(sweep))
    assert [state.status.starts for state in states(sweep)] == [1, 2]


def test_a_lost_job_is_found_and_run_again(site: Site, long_jobs: dict[str, Path]) -> None:
    sweep = site.launch("lost", "seed=5,6", "trainer=long", "trainer.max_epochs=2000")
    wait(sweep, lambda found: epoch(found[0]) > 0)
    os.kill(states(sweep)[0].status.holder.pid, signal.SIGKILL)  # as the OOM killer does
    lost, other = wait(sweep, all_ended)
    assert (lost.state, other.state) == ("lost", "finished")
    assert "slurm no longer knows job" in lost.error
    done = site("sweep", "rerun", "--missing", "--sweep", str(sweep), check=True)
    assert "finished earlier: 1 of 2" in done.stdout
    assert "submitted to SLURM: 1" in done.stdout
    again, untouched = states(sweep)
    assert (again.state, again.status.starts) == ("finished", 2)
    assert untouched.submission == other.submission


def test_jobs_are_cancelled_wherever_they_are(site: Site, long_jobs: dict[str, Path]) -> None:
    later = "hydra.launcher.additional_parameters.begin=now+1hour"
    waiting = site.launch("waiting", "seed=0,1,2", f"+{later}")
    assert [state.state for state in states(waiting)] == ["waiting"] * 3
    assert "PENDING (BeginTime)" in states(waiting)[0].error
    done = site("sweep", "cancel", "1", "--sweep", str(waiting), check=True)
    assert done.stdout == "1 job cancelled, 0 had ended before\n"
    assert [state.state for state in states(waiting)] == ["waiting", "cancelled", "waiting"]
    done = site("sweep", "cancel", "--sweep", str(waiting), check=True)
    assert done.stdout == "2 jobs cancelled, 1 had ended before\n"
    running = site.launch("running", "trainer=long")
    wait(running, lambda found: epoch(found[0]) > 0)
    site("sweep", "cancel", "--sweep", str(running), check=True)
    (job,) = wait(
        running, lambda found: found[0].submission.job not in slurm("squeue", "--noheader", "--format=%i")
    )
    assert (job.state, job.status.starts) == ("cancelled", 1)  # and not queued again


def test_an_array_of_shards_equals_the_cache_of_one_process(site: Site, long_jobs: dict[str, Path]) -> None:
    words = (
        "extract",
        "-m",
        *TINY,
        *PRESET,
        "share.num=4",
        "share.index=0,1,2,3",
        "paths.caches=shared_caches",
    )
    done = site(*words, check=True)
    assert "submitted to SLURM: 4" in done.stdout
    (one,) = (site.root / "caches").glob("*.h5")
    (joined,) = (site.root / "shared_caches").glob("*.h5")
    expected, found = activations(one), activations(joined)
    assert expected.keys() == found.keys()
    for name, rows in expected.items():
        np.testing.assert_array_equal(found[name], rows, err_msg=name)
    (sweep,) = (site.root / "runs" / "extract" / "sweeps").iterdir()
    assert [state.state for state in read_states(sweep)] == ["finished"] * 4
