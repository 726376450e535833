"""A home that cannot be written to is no news in every run."""

import os
from pathlib import Path

import pytest

from prefillroute import home


def settled(**environment: str) -> dict[str, str]:
    home.settle(environment)
    return environment


def test_a_home_that_can_be_written_to_stays(tmp_path: Path) -> None:
    assert settled(HOME=str(tmp_path)) == {"HOME": str(tmp_path)}
    assert settled(HOME=str(tmp_path / "not yet there")) == {"HOME": str(tmp_path / "not yet there")}


def test_what_the_user_has_set_stays() -> None:
    assert settled(HOME="/proc", MPLCONFIGDIR="x") == {"HOME": "/proc", "MPLCONFIGDIR": "x"}


@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
def test_a_read_only_home_gets_a_folder_of_this_user(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(home.os, "access", lambda path, mode: False)  # root may write everywhere
    folder = Path(settled(**{variable: str(tmp_path)})["MPLCONFIGDIR"])
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.getuid()
