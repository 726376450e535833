"""A workspace whose names and folders nobody expects, made by the real commands."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from experiments.badinput import toy
from experiments.badinput.workspace import Workspace
from prefillroute.cli.main import main
from prefillroute.text.visible import hidden
from tests.hostile import CATEGORIES, NAMES, pool_override

FOLDER = '-my "runs" [x] it\'s é 文'
NUM_QUERIES = 120


def log_file(path: Path) -> None:
    """The toy's outcomes, its three targets taking turns under the hostile names."""
    queries = toy.queries(NUM_QUERIES)
    table = toy.outcomes(queries)
    table["prompt"] = (
        table["query_id"].map(queries.set_index("query_id")["prompt"]) + " [high] :smile: \x1b[31m文"
    )
    table["category"] = table["query_id"].map(lambda name: CATEGORIES[int(name[1:]) % 2])
    parts = [
        table[table["target"] == list(toy.TARGETS)[i % 3]].assign(target=name) for i, name in enumerate(NAMES)
    ]
    pd.concat(parts).drop(columns="query_id").to_csv(path, index=False)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("hostile") / FOLDER)
    workspace.root.mkdir()
    toy.write_encoder(workspace.encoder)
    log_file(workspace.root / "-log [1].csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.root)
        assert main(["import", "csv", "./-log [1].csv", "--out", "data/tiny"]) == 0
        assert main(["extract", *workspace.facts(), pool_override()]) == 0
    done = subprocess.run(
        workspace.train(pool_override(), run="first"), cwd=workspace.root, env=workspace.environment(),
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (workspace.root / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return workspace


@pytest.fixture
def command(workspace, monkeypatch, capsys):
    """Run a subcommand in the workspace on a very wide terminal; what it printed holds nothing hidden."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("COLUMNS", "4000")

    def run(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(list(arguments)) == status
        captured = capsys.readouterr()
        said = captured.out if status == 0 else captured.err
        assert not any(map(hidden, (captured.out + captured.err).replace("\n", ""))), said
        return said

    return run


@pytest.fixture
def own_copy(workspace, tmp_path, monkeypatch) -> Workspace:
    """A copy to break, and the current folder."""
    shutil.copytree(workspace.root, tmp_path / FOLDER)
    monkeypatch.chdir(tmp_path / FOLDER)
    return Workspace(tmp_path / FOLDER)
