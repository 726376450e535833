"""`prefillroute pool check` as a person meets it, and every pool of conf/pool as far as its data are at hand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from prefillroute.cli.main import main
from prefillroute.cli.pool_check import pool_names
from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.checks.contract import ERROR
from prefillroute.outcomes.checks.run import check_pool
from tests.outcomes.checks.conftest import sound_pool

DATA = [
    folder
    for folder in (Path("data"), Path(__file__).resolve().parents[2] / "../shared/data")
    if folder.is_dir()
]


@pytest.fixture
def own_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sound pool as one of a user's own, in the folder in which the command runs; its YAML's path."""
    pool, queries, outcomes = sound_pool(tmp_path / "data")
    (tmp_path / "data").mkdir()
    queries.to_parquet(tmp_path / "data" / "queries.parquet", index=False)
    outcomes.to_parquet(tmp_path / "data" / "outcomes.parquet", index=False)
    path = tmp_path / "conf" / "pool" / "mine.yaml"
    path.parent.mkdir(parents=True)
    OmegaConf.save(OmegaConf.structured(replace(pool, name="mine")), path)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("name", pool_names())
def test_every_pool_is_without_errors(name: str) -> None:
    """By its YAML, and by its table where that is."""
    data = DATA[0] if DATA else Path("nowhere")
    pool = fact(compose_run([f"pool={name}", f"paths.data={data}"], config_name="pool").pool, PoolConfig)
    _, found = check_pool(pool, 12, date.today())
    assert [finding for finding in found if finding.severity == ERROR] == []


def test_a_pool_with_warnings_ends_in_status_0(own_pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_pool.write_text(own_pool.read_text().replace("list, 2026-09", "list, 2023-01"))
    assert main(["pool", "check", "mine"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("pool mine: 3 targets, 600 queries, ")
    assert lines[1].startswith("  warning  price dates: 3 of 3 prices are older than 12 months: ")
    assert lines[2].startswith("           -> look them up")
    assert main(["pool", "check", "mine", "--months", "999"]) == 0
    assert "  nothing found" in " ".join(capsys.readouterr().out.split("\n"))


def test_a_pool_with_an_error_ends_in_status_1(own_pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_pool.write_text(own_pool.read_text().replace("name: small", "name: tiny"))
    assert main(["pool", "check", "starter", "mine", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err.strip() == (
        "error: pool check: expected no errors, found 1, the first of them in mine: the table has no outcomes of tiny"
    )
    found = {each["pool"]: each["findings"] for each in json.loads(captured.out)}
    assert set(found) == {"starter", "mine"}
    assert found["mine"][0]["severity"] == "error"
    assert found["mine"][0]["remedy"] == "leave them out with pool.exclude=[tiny]"
    # The remedy, followed.
    assert main(["pool", "check", "mine", "pool.exclude=[tiny]"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected names of pools or --all, found neither; pools: "),
        (["starter", "--all"], "expected names of pools or --all, found both"),
        (["starter", "--months", "-1"], "--months: expected 0 or more, found -1"),
        (["starter", "--months", "many"], "argument --months: invalid int value: 'many'"),
        (["mmlu"], "mmlu_pro"),
    ],
)
def test_mistakes_are_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pool", "check", *words]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1


@pytest.mark.shared_data
def test_what_it_says_of_real_pools(real_data, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "mmlu_pro_six",
        "openhands_swe",
        "reasoning_gym_easy",
        f"paths.data={real_data('openhands_swe_2026').parent}",
    ]
    assert main(["pool", "check", *words]) == 0
    printed = capsys.readouterr().out
    assert "in each of 11 categories, 5 of 10 targets: claude-3.5-sonnet by o3-mini; " in printed
    assert "where 50 are wanted: claude-fable-5 16 wrong" in printed
    assert "100.0% of the token counts are estimates (characters / 4" in printed
    assert "differ only in case" not in printed  # boards of chess differ in marks that stand alone
