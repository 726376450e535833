"""How a job ends: status.json, one line, exit status; and that a logger's files are real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def train(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    env = {key: value for key, value in env.items() if not key.startswith("PREFILLROUTE_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *overrides],
        cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_bare_command_says_what_to_run_first_and_records_it(tmp_path: Path) -> None:
    done = train(tmp_path)
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert "prefillroute import" in lines[0]
    (status,) = tmp_path.glob("runs/*/*/status.json")
    recorded = json.loads(status.read_text())
    assert recorded["state"] == "failed"
    assert recorded["error"] in lines[0]


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("head.drpout=1", "dropout"),
        ("encoder=smolm2", "smollm2_135m"),
        ("sed=1", "seed"),
        ("seed=0,1", "add -m"),
        ("pool.import_hint=a=b", "'pool.import_hint=\"a=b\"'"),
        ("--no-such", "--multirun"),
        ("--cfg", "expected one argument"),
    ],
)
def test_mistyped_configuration_is_one_line_that_names_the_allowed(
    tmp_path: Path, override: str, named: str
) -> None:
    done = train(tmp_path, override)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert named in done.stderr
    assert "search path" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_nan_is_refused_before_any_work(tmp_path: Path) -> None:
    done = train(tmp_path, "trainer.learning_rate=nan", "hydra.run.dir=run")
    assert done.returncode == 1
    assert done.stderr == "error: trainer.learning_rate: expected a number, found nan\n"
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "failed"


def test_options_may_stand_between_overrides(tmp_path: Path) -> None:
    done = train(tmp_path, "seed=3", "--cfg", "job", "threads=2", "-p", "pool", "pool=starter")
    assert done.returncode == 0, done.stderr
    assert "name: starter" in done.stdout


def test_the_command_and_the_script_are_one(tmp_path: Path) -> None:
    own = tmp_path / "conf" / "pool"
    own.mkdir(parents=True)
    (own / "2024.yaml").write_text(
        "name: '2024'\noutcomes: data/x\nimport_hint: make-it\ntargets: [{name: a}, {name: b}]\n"
    )
    said = []
    for command in (["-m", "prefillroute.cli.main", "train"], [str(ROOT / "train.py")]):
        done = subprocess.run(
            [sys.executable, *command, "pool=2024", "--cfg", "job", "--package", "pool"],
            cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    assert "name: '2024'" in said[0]
