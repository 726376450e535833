"""Options of a user's own in `conf/` of the current folder, beside those that ship."""

import json
import logging
import shutil
from pathlib import Path

import pandas as pd
import pytest

from prefillroute.cli.main import run_command
from prefillroute.config.compose import compose_run, read_fact
from prefillroute.config.facts import PoolConfig, ProviderConfig
from prefillroute.config.overrides import name_options
from prefillroute.config.search import conf_dir, conf_folders
from prefillroute.errors import UserError
from prefillroute.jobs.help import help_text
from prefillroute.outcomes.files import write_outcomes

NUMERIC = ("2024", "1e3", "null", "on", "true", "007", "1_000", "0x1f", "nan", "-1")


def write_pool(folder: Path, name: str) -> None:
    """A user's own pool, under its own name."""
    (folder / "conf" / "pool").mkdir(parents=True, exist_ok=True)
    # JSON, since a YAML writer leaves 1e3 without quotes and OmegaConf then reads a number.
    pool = {
        "name": name,
        "outcomes": "data/mine",
        "import_hint": "none",
        "targets": [{"name": "a"}, {"name": "b"}],
    }
    (folder / "conf" / "pool" / f"{name}.yaml").write_text(json.dumps(pool))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_own_options_are_found_beside_those_that_ship(folder: Path) -> None:
    write_pool(folder, "mine")
    assert compose_run(["pool=mine"]).pool.name == "mine"
    assert compose_run(["pool=mine"], "extract").pool.name == "mine"
    assert compose_run(["pool=starter"]).pool.name == "starter"
    assert read_fact("pool", "mine", PoolConfig).name == "mine"
    assert read_fact("provider", "local", ProviderConfig).name == "local"
    (line,) = (line for line in help_text("config").splitlines() if line.startswith("pool: "))
    assert {"mine", "starter"} <= set(line.removeprefix("pool: ").split(", "))
    with pytest.raises(
        UserError, match=r"among .*mine.*starter.*, found 'min'; .*conf/pool/NAME\.yaml in the current folder"
    ):
        compose_run(["pool=min"])
    with pytest.raises(UserError, match=r"pool: expected an option among .*mine.*starter.*, found 'min'$"):
        read_fact("pool", "min", PoolConfig)


def test_no_option_is_listed_twice_in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(conf_dir().parent)
    assert conf_folders() == [conf_dir()]
    with pytest.raises(UserError) as caught:
        compose_run(["pool=x"])
    names = str(caught.value).partition("among ")[2].partition(", found")[0].split(", ")
    assert (
        sorted(set(names))
        == sorted(names)
        == sorted(path.stem for path in (conf_dir() / "pool").glob("*.yaml"))
    )


def test_another_projects_conf_does_no_harm(folder: Path) -> None:
    (folder / "conf" / "trainer").mkdir(parents=True)
    (folder / "conf" / "config.yaml").write_text("defaults:\n  - trainer: default\n  - _self_\n")
    (folder / "conf" / "trainer" / "default.yaml").write_text("_target_: lightning.Trainer\n")
    shipped = compose_run([], conf=conf_dir())
    assert compose_run([]) == shipped


def test_a_name_that_ships_is_not_taken_over_in_silence(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "conf" / "head").mkdir(parents=True)
    shutil.copy(conf_dir() / "head" / "logistic.yaml", folder / "conf" / "head" / "logistic.yaml")
    own = folder / "conf" / "head" / "shared_trunk.yaml"
    own.write_text("_target_: mine.Head\n")
    same = compose_run(["head=logistic"])
    assert same.head._target_.startswith("prefillroute.")  # the same file: nothing to say
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING):
        assert compose_run([]).head._target_.startswith("prefillroute.")  # the default
    (line,) = caplog.messages
    assert line.startswith(
        "conf/head/shared_trunk.yaml is not read: prefillroute's own option 'shared_trunk'"
    )
    with pytest.raises(UserError, match=r"rename the file, for instance to conf/head/my_shared_trunk\.yaml"):
        compose_run(["head=shared_trunk"])
    own.rename(own.with_name("my_shared_trunk.yaml"))  # the way out
    assert compose_run(["head=my_shared_trunk"]).head._target_ == "mine.Head"


def test_a_whole_copy_of_conf_takes_its_place(folder: Path) -> None:
    shutil.copytree(conf_dir(), folder / "conf")
    path = folder / "conf" / "config.yaml"
    path.write_text(path.read_text().replace("\nseed: 0\n", "\nseed: 7\n"))
    (folder / "conf" / "head" / "logistic.yaml").unlink()
    assert compose_run([]).seed == 7
    assert compose_run(["head=logistic"]).seed == 7  # what it lacks is read from what ships


@pytest.mark.parametrize("name", NUMERIC)
def test_an_option_may_look_like_a_number_or_nothing(folder: Path, name: str) -> None:
    write_pool(folder, name)
    assert compose_run([f"pool={name}"]).pool.name == name


def test_pool_show_takes_any_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queries = pd.DataFrame({"query_id": ["q"], "prompt": ["p"], "benchmark": ["x"], "category": ["x"]})
    outcomes = [{"query_id": "q", "target": target, "correct": 1.0} for target in "ab"]
    write_outcomes(folder / "data" / "mine", queries, pd.DataFrame(outcomes))
    for name in (*NUMERIC, "a: b", "x,y", "it's", 'say "so"', "a=b", "$HOME", "#1", "~x"):
        write_pool(folder, name)
        assert run_command(["pool", "show", name]) == 0
        assert f"pool {name}: data/mine" in capsys.readouterr().out


def test_only_options_of_groups_are_names() -> None:
    assert name_options(["seed=1", "pool.max_queries=100", "pool=1", "pool=1,a,true", "+pool=2"]) == [
        "seed=1", "pool.max_queries=100", 'pool="1"', 'pool="1",a,"true"', '+pool="2"',
    ]  # fmt: skip
    others = ["pool=[1,2]", "-m", "pool='1'", "pool=glob(*)"]
    assert name_options(others) == others
