"""What a job returns to an optimiser: read from its folder, and only of a job that finished."""

import json
from pathlib import Path

import pytest

from prefillroute.errors import UserError
from prefillroute.jobs.status import Status
from prefillroute.training.objectives import find_objectives, read_objectives
from tests.training.toy_runs import metrics_of, write_run

NAMES = ["selection_hull_gain", "training_work", "training_seconds"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "0"
    write_run(folder, ("head=a",), 1.0)
    metrics = {
        **metrics_of(folder),
        "training_work": 7,
        "timings_s": {"outcomes": 9, "features": 2, "head": 1.5},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_values_are_those_of_the_folder(run: Path) -> None:
    gain = metrics_of(run)["test"]["selection_hull_gain"]
    assert read_objectives(run, NAMES) == [gain, 7.0, 3.5]
    assert read_objectives(run, NAMES[:1]) == gain
    assert read_objectives(run, []) is None


@pytest.mark.parametrize("broken", ["failed", "running", "no status", "half", "null"])
def test_a_job_that_lacks_one_of_them_returns_nothing(run: Path, broken: str) -> None:
    """A folder in which an earlier job finished counts for nothing once a later one has failed there."""
    if broken in ("failed", "running"):
        Status(broken, ("head=a",)).write(run)
    elif broken == "no status":
        (run / "status.json").unlink()
    elif broken == "half":
        (run / "metrics.json").write_text('{"test": {')
    else:
        (run / "metrics.json").write_text(json.dumps({**metrics_of(run), "training_work": None}))
    assert read_objectives(run, NAMES) is None
    assert read_objectives(run, [NAMES[1]]) is None
    assert (read_objectives(run, [NAMES[2]]) is None) == (broken != "null")


def test_directions_are_those_of_the_metrics() -> None:
    assert [metric.better for metric in find_objectives([*NAMES, "mean_brier"])] == [
        "higher", "lower", "lower", "lower",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["hull_gian"], r"objectives: expected some of training_work, .*hull_gain.*, found hull_gian"),
        (["hull_gain", "hull_gain"], "objectives: expected each metric once, found hull_gain twice"),
        (["random_accuracy"], "found random_accuracy"),
    ],
)
def test_a_name_that_cannot_be_optimised_is_refused(names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_objectives(names)
