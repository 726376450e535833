"""Layers are scored once for the same data, and anew for any other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from prefillroute.layers.contract import Remember, make_anew
from prefillroute.layers.memo import remembered_table
from prefillroute.layers.table import ProbeTable
from prefillroute.probes.layer_probe import LayerProbe
from tests.layers.toys import CHOOSERS, build_chooser, build_toy


def some_table(remember: Remember) -> ProbeTable:
    toy = build_toy(60)
    return build_chooser("fisher").score(toy.source, replace(toy.task, remember=remember))


def test_second_call_reads_what_the_first_one_scored(tmp_path: Path) -> None:
    first = remembered_table(tmp_path / "memo", "key", some_table)
    second = remembered_table(tmp_path / "memo", "key", lambda _: pytest.fail("scored again"))
    assert (second.targets, second.blocks, second.depths) == (first.targets, first.blocks, first.depths)
    pd.testing.assert_frame_equal(second.frame, first.frame, check_exact=True)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_an_earlier_version(path: Path) -> None:
    path.with_suffix(".json").write_text('{"blocks": [], "per_target": {}, "unscored": [], "notes": []}')


def one_row_short(path: Path) -> None:
    pd.read_parquet(path.with_suffix(".parquet")).iloc[1:].to_parquet(path.with_suffix(".parquet"))


def another_table(path: Path) -> None:
    pd.DataFrame({"a": range(24)}).to_parquet(path.with_suffix(".parquet"))


def a_list(path: Path) -> None:
    path.with_suffix(".json").write_text("[1, 2]")


@pytest.mark.parametrize("damaged", ["key.json", "key.parquet"])
@pytest.mark.parametrize(
    "damage", [halve, Path.unlink, of_an_earlier_version, one_row_short, another_table, a_list]
)
def test_damaged_memo_is_replaced(tmp_path: Path, damaged: str, damage) -> None:
    table = remembered_table(tmp_path, "key", some_table)
    damage(tmp_path / damaged)
    calls: list[int] = []

    def make(remember: Remember) -> ProbeTable:
        calls.append(1)
        return some_table(remember)

    for _ in range(2):  # made anew, and then read
        again = remembered_table(tmp_path, "key", make)
        assert again.blocks == table.blocks
        pd.testing.assert_frame_equal(again.frame, table.frame, check_exact=True)
    assert len(calls) == 1


@pytest.mark.parametrize("name", CHOOSERS)
def test_a_stopped_job_goes_on_with_the_probes_that_it_has(tmp_path: Path, name: str) -> None:
    toy, chooser = build_toy(60), build_chooser(name)
    made: list[str] = []

    def score(remember: Remember, stop_at: int) -> ProbeTable:
        def remember_until(name: str, make: Callable[[], LayerProbe]) -> LayerProbe:
            def make_until() -> LayerProbe:
                if len(made) == stop_at:
                    raise SystemExit
                made.append(name)
                return make()

            return remember(name, make_until)

        return chooser.score(toy.source, replace(toy.task, remember=remember_until))

    undisturbed = score(make_anew, -1)
    probes, made[:] = list(made), []
    if len(probes) > 1:
        with pytest.raises(SystemExit):
            remembered_table(tmp_path, "key", lambda remember: score(remember, len(probes) - 1))
        (tmp_path / "key.probes" / f"{probes[0]}.json").write_text("{")  # of a disk that was full
    table = remembered_table(tmp_path, "key", lambda remember: score(remember, -1))
    assert sorted(made) == sorted(probes + probes[:1] * (len(probes) > 1))
    assert table.blocks == undisturbed.blocks
    pd.testing.assert_frame_equal(table.frame, undisturbed.frame, check_exact=True)
    assert {path.name for path in tmp_path.iterdir()} == {"key.json", "key.parquet"}


def test_a_probe_that_cannot_be_kept_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Another job with the same layers may have finished, and be removing the folder."""
    (tmp_path / "key.probes").write_text("a file where the folder should be")
    table = remembered_table(tmp_path, "key", some_table)
    assert table.blocks == some_table(make_anew).blocks
