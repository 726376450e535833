"""The skeleton of a pool names its folder, and keeps every name as it is."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.importers.skeleton import is_completed, pool_skeleton
from prefillroute.text import hints

NAMES = [
    "2024",
    "007",
    "on",
    "null",
    "1e3",
    "a: b",
    "東京",
    "😀",
    "it's",
    "x ${y} $HOME",
    "#1",
    "{a}",
    "- b",
    "%d",
    "~",
    "\u2028",
]


def composed(text: str, data: str = "data") -> PoolConfig:
    """The pool as Hydra reads it."""
    form = OmegaConf.structured(PoolConfig)
    config = OmegaConf.create(
        {"paths": {"data": data}, "pool": OmegaConf.merge(form, OmegaConf.create(text))}
    )
    return OmegaConf.to_object(config)["pool"]


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_as_they_are(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    command = ["prefillroute", "import", "csv", f"my {name}.csv", "--out", f"data/{name}"]
    pool = composed(pool_skeleton(tmp_path / "data" / name, [*NAMES, "plain"], hints.command(*command), ()))
    assert pool.name == name
    assert pool.outcomes == f"data/{name}"
    assert [target.name for target in pool.targets] == [*NAMES, "plain"]
    assert [target.price_in for target in pool.targets] == [None] * (len(NAMES) + 1)
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {pool.import_hint}"], capture_output=True, check=True
    )
    assert words.stdout.decode().split("\0")[:-1] == command


@given(targets=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_any_text_is_a_target(tmp_path_factory, targets):
    text = pool_skeleton(tmp_path_factory.getbasetemp() / "mine", targets, "prefillroute", ())
    assert [target.name for target in composed(text).targets] == targets


def test_folder_below_the_data_and_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, outcomes in (
        ("data/mine", "else/mine"),  # below paths.data, wherever that is by then
        ("data/a/b", "else/a/b"),
        ("data/../elsewhere/mine", "data/../elsewhere/mine"),
        ("elsewhere/mine", "elsewhere/mine"),
        ("database/mine", "database/mine"),
        (str(tmp_path / "data" / "mine"), "else/mine"),
        (str(tmp_path / "elsewhere"), str(tmp_path / "elsewhere")),
    ):
        assert (
            composed(pool_skeleton(tmp_path.__class__(folder), ["a"], "x", ()), "else").outcomes == outcomes
        )
    monkeypatch.setenv("PREFILLROUTE_DATA", str(tmp_path / "elsewhere"))
    assert (
        composed(pool_skeleton(tmp_path / "elsewhere" / "mine", ["a"], "x", ()), "else").outcomes
        == "else/mine"
    )


def test_prices_that_were_filled_in_are_seen(tmp_path):
    file = tmp_path / "pool.yaml"
    assert not is_completed(file)
    text = pool_skeleton(tmp_path, ["a", "b"], "x", ())
    file.write_text(text)
    assert not is_completed(file)
    file.write_text(text.replace("price_in: null", "price_in: 2.5", 1))
    assert is_completed(file)
    file.write_text("targets: [")
    assert is_completed(file)
