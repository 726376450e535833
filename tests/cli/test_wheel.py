"""What `pip install prefillroute` gives, away from any checkout: import, look, train, with a pool in ./conf."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel's content."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("prefillroute-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


@pytest.mark.slow
def test_a_log_becomes_a_trained_router_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFILLROUTE_")}

    def prefillroute(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefillroute.cli.main", *arguments],
            cwd=tmp_path, env={**environment, "PYTHONPATH": str(site)}, capture_output=True, text=True,
            timeout=500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import prefillroute; print(prefillroute.__file__)"],
        cwd=tmp_path, env={**environment, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert Path(where.strip()).is_relative_to(site)

    assert "pool starter" in prefillroute("pool", "show", "starter")
    rows = [
        f"{row},{target},{int((row + at) % 3 > 0)}" for row in range(60) for at, target in enumerate("ab")
    ]
    (tmp_path / "log.csv").write_text("\n".join(["prompt,target,correct", *rows]))
    prefillroute("import", "csv", "log.csv", "--out", "data/mine")
    (tmp_path / "conf" / "pool").mkdir(parents=True)
    text = (tmp_path / "data" / "mine" / "pool.yaml").read_text()
    (tmp_path / "conf" / "pool" / "mine.yaml").write_text(
        text.replace("price_in: null, price_out: null", "price_in: 1.0, price_out: 2.0")
    )
    assert "pool mine" in prefillroute("pool", "show", "mine")
    sweep = [
        "pool=mine",
        "signal=category",
        "head=constant",
        "seed=0,1",
        "report=false",
        "hydra.sweep.dir=sweep",
    ]
    said = prefillroute("train", "-m", *sweep, "evaluation.num_resamples=5")
    assert "after a stop this goes on: prefillroute train -m pool=mine" in said
    for number in range(2):
        assert (
            json.loads((tmp_path / "sweep" / str(number) / "status.json").read_text())["state"] == "finished"
        )
