"""Real studies on a toy pool: failed trials, a kill, and what must not be mixed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("optuna", reason="the extra `optuna` is not installed")

from experiments.badinput import toy
from experiments.badinput.workspace import REPOSITORY, Workspace
from prefillroute.cli.main import main
from prefillroute.training import study as studies
from prefillroute.training.study import STUDY_FILE, Study

SPACE = ["head.hidden=choice([4],[4,2])", "trainer.learning_rate=tag(log,interval(0.001,0.1))"]
BOTH = "objectives=[selection_hull_gain,training_work]"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Arguments of a study in the current folder, of jobs that take half a second."""
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(tmp_path)
    workspace.data.mkdir(parents=True)
    queries = toy.queries(120)
    queries.to_parquet(workspace.data / "queries.parquet", index=False)
    toy.outcomes(queries).to_parquet(workspace.data / "outcomes.parquet", index=False)

    def arguments(*further: str, trials: int = 4, folder: str = "sweep") -> list[str]:
        return [
            "train", "-m", *workspace.facts(), "signal=category", "head=shared_trunk", "head.dropout=[0.1]",
            "trainer=quick", "trainer.max_epochs=2", "trainer.progress_bar=false", "num_folds=2", "report=false",
            "bundle=false", "evaluation.num_resamples=0", "threads=1", "hydra/sweeper=optuna",
            f"hydra.sweeper.n_trials={trials}", f"hydra.sweep.dir={folder}", *further,
        ]  # fmt: skip

    return arguments


def trials_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "study.csv", keep_default_na=False, na_values={"training_work": ""})


def chosen_in(output: str) -> list[str]:
    return [found[0] for found in re.findall(r"#\d+ : ((\S+ ){2})", output)]


def test_a_killed_study_goes_on_and_failed_trials_do_not_end_it(
    command: Callable[..., list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = command(BOTH, *SPACE, trials=6)
    environment = Workspace(tmp_path).environment()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefillroute.cli.main", *arguments],
            env=environment,
            stdout=log,
            stderr=log,
        )
        while process.poll() is None and not (tmp_path / "sweep" / "2" / "status.json").exists():
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = chosen_in((tmp_path / "log").read_text())
    assert len(before) == 3
    finished = {n: (tmp_path / "sweep" / str(n) / "status.json").stat().st_mtime_ns for n in range(2)}

    assert main(arguments) == 1  # some trials failed, as the summary says
    output = capfd.readouterr().out
    assert "Got 'None'" not in output
    after = chosen_in(output)
    assert len(after) == 4
    assert after[0] == before[2]  # the one that was stopped, with the same choices
    for number, stamp in finished.items():
        assert (tmp_path / "sweep" / str(number) / "status.json").stat().st_mtime_ns == stamp
    frame = trials_of(tmp_path / "sweep")
    assert frame["trial"].tolist() == list(range(6))
    failed = frame[frame["head.hidden"] == "[4,2]"]
    assert 0 < len(failed) < 6
    assert failed["state"].str.contains("head.dropout: expected one rate for each of 2 hidden layers").all()
    others = frame[frame["head.hidden"] != "[4,2]"]
    assert (others["state"] == "finished").all()
    for row in others.itertuples():  # every value is that of the folder with the same choices
        folder = tmp_path / "sweep" / str(row.folder)
        metrics = json.loads((folder / "metrics.json").read_text())
        assert float(row.selection_hull_gain) == metrics["test"]["selection_hull_gain"]
        assert row.training_work == metrics["training_work"]
        said = json.loads((folder / "status.json").read_text())["overrides"]
        assert f"head.hidden={frame.loc[row.Index, 'head.hidden']}" in said
    optuna = studies._load_optuna()
    stored = optuna.load_study(study_name="study", storage=f"sqlite:///sweep/{STUDY_FILE}")
    best = {tuple(trial.values) for trial in stored.best_trials}
    shown = others[others["front"] == True]  # noqa: E712
    assert {(float(row.selection_hull_gain), row.training_work) for row in shown.itertuples()} == best

    assert main(command(BOTH, *SPACE, trials=6)) == 1  # nothing is left
    assert chosen_in(capfd.readouterr().out) == []
    main(command(BOTH, *SPACE, trials=7))
    assert len(chosen_in(capfd.readouterr().out)) == 1


def test_a_study_without_a_single_value_says_why(
    command: Callable[..., list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = command("objectives=[selection_hull_gain]", "head.hidden=choice([4,2],[2,2])", trials=2)
    for _ in range(2):
        assert main(arguments) == 1
        output = capfd.readouterr()
        assert "head.dropout: expected one rate for each of 2 hidden layers, found 1" in output.out
        assert "2 trials without values" in output.out
        assert "Traceback" not in output.out + output.err


def test_a_study_is_not_mixed_with_another(
    command: Callable[..., list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            command(
                "head.hidden=[4]",
                "objectives=[selection_auc]",
                "trainer.learning_rate=interval(0.01,0.1)",
                trials=1,
            )
        )
        == 0
    )
    capfd.readouterr()
    mistakes = {
        "expected the objectives that the study began with (selection_auc), found selection_hull_gain training_work": [
            BOTH, "trainer.learning_rate=interval(0.01,0.1)",
        ],
        "(trainer.learning_rate=interval(0.01,0.1)), found trainer.learning_rate=interval(0.01,0.2)": [
            "objectives=[selection_auc]", "trainer.learning_rate=interval(0.01,0.2)",
        ],
        "objectives: expected what the study optimises": ["trainer.learning_rate=interval(0.01,0.1)"],
        "hydra.sweeper.direction: expected null": ["objectives=[selection_auc]", "hydra.sweeper.direction=[minimize]"],
    }  # fmt: skip
    for message, further in mistakes.items():
        assert main(command("head.hidden=[4]", *further, trials=3)) == 1
        error = capfd.readouterr().err.strip()
        assert message in error
        assert len(error.splitlines()) == 1


def test_two_processes_do_not_work_on_one_study(
    command: Callable[..., list[str]], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sweep").mkdir()
    lock = studies.FileLock(tmp_path / "sweep" / "study.lock", "the study")
    assert main(command(BOTH, *SPACE)) == 1
    assert f"sweep/{STUDY_FILE}: is being written by process {os.getpid()}" in capfd.readouterr().err
    lock.release()


@pytest.mark.parametrize("absent", ["optuna", "hydra_plugins.hydra_optuna_sweeper"])
def test_without_optuna_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(
        studies.UserError, match=r"expected the package .* found it not installed; run .*optuna"
    ):
        Study()


def test_every_sampler_of_ours_is_optunas() -> None:
    names = [path.stem for path in (REPOSITORY / "conf" / "hydra" / "sweeper" / "sampler").glob("*.yaml")]
    assert names
    optuna = studies._load_optuna()
    for name in names:
        text = (REPOSITORY / "conf" / "hydra" / "sweeper" / "sampler" / f"{name}.yaml").read_text()
        target = re.search(r"_target_: optuna\.samplers\.(\w+)", text)
        assert target is not None
        assert issubclass(getattr(optuna.samplers, target[1]), optuna.samplers.BaseSampler)
