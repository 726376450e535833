"""Which runs are compared with which, and that the command of the README prints them."""

from pathlib import Path

import pytest

from experiments import compare_heads
from experiments.compare_heads import Run, by_pool
from prefillroute.errors import UserError


def test_two_runs_of_one_head_are_not_mixed_up() -> None:
    first, other = Run(Path("a"), "six", "shared_trunk"), Run(Path("b"), "six", "logistic")
    elsewhere = Run(Path("c"), "all", "shared_trunk")
    assert by_pool([first, other, elsewhere]) == {
        "six": {"shared_trunk": first, "logistic": other}, "all": {"shared_trunk": elsewhere},
    }  # fmt: skip
    with pytest.raises(
        UserError, match="d: expected one run called logistic on pool six, found a second after b"
    ):
        by_pool([first, other, Run(Path("d"), "six", "logistic")])


def test_every_pool_of_a_sweep_is_printed(tmp_path, tables, make_run, monkeypatch, capsys) -> None:
    for pool in ("six", "all"):
        make_run(tmp_path / f"{pool}0", tables["prefill"], pool=pool, head="shared_trunk")
        make_run(tmp_path / f"{pool}1", tables["far"], pool=pool, head="logistic")
    monkeypatch.setattr("sys.argv", ["compare_heads", str(tmp_path), "--resamples", "20"])
    assert compare_heads.main() == 0
    printed = capsys.readouterr().out
    for pool in ("six", "all"):
        assert f"{pool}: shared_trunk minus the other" in printed
    assert "logistic" in printed
    with pytest.raises(UserError, match="no finished run"):
        compare_heads.find_runs([tmp_path / "six0" / ".hydra"])
