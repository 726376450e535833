"""What is chosen from a grid, what a comparison says, and how it is written down."""

import io

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from experiments.comparing.forest import COLOURS, forest_drawing
from experiments.comparing.grid import Choice, best_of_grid
from experiments.comparing.pool import (
    TABLES_4_TO_6,
    Difference,
    catalogued,
    compare_pool,
    difference_text,
)
from experiments.comparing.printing import print_comparison
from prefillroute.errors import UserError
from prefillroute.reports.style import styled
from prefillroute.routing.comparison import compare
from prefillroute.text.screen import Screen

SHOWN = catalogued(TABLES_4_TO_6)


def semantic(name, calibration):
    return (f"experiment/semantic={name}", f"calibration={calibration}")


def test_the_grids_best_are_the_best_on_calibration_rows_not_on_test(tmp_path, make_run, table_of) -> None:
    # name: noise on calibration rows, on test rows
    noise = {"honest": (0.5, 2.0), "lucky": (2.0, 0.1), "middle": (1.0, 1.0), "prefill": (0.0, 0.0)}
    for number, (name, (own, test)) in enumerate(noise.items()):
        table = table_of(own, "calibration", test)
        make_run(tmp_path / f"{number}", table, semantic(name, "platt"))
    fewer = table_of(0.0, "calibration").select(np.arange(120))  # of another size: not this pool's AUC
    make_run(tmp_path / "toy", fewer, semantic("toy", "platt"))
    found = best_of_grid(tmp_path, 2, lambda name: "prefill" not in name)
    assert [choice.name for choice in found] == ["honest", "middle"]
    table = table_of(0.5, "calibration", 2.0)
    rows = table.split == "calibration"
    assert 100 < rows.sum() < 150  # the test and training rows are others
    for value, score in ((found[0].auc, roc_auc_score), (found[0].brier, brier_score_loss)):
        expected = np.mean([score(table.correct[rows, m], table.confidence[rows, m]) for m in range(3)])
        assert value == pytest.approx(expected)


def test_a_predictor_is_taken_once_under_its_best_calibration(tmp_path, make_run, table_of) -> None:
    runs = {
        ("a", "none"): table_of(0.5, power=4.0),  # the same order of queries, badly calibrated
        ("a", "platt"): table_of(0.5),
        ("a", "isotonic"): table_of(0.9),
        ("b", "zscore"): table_of(0.7),
    }
    for number, ((name, calibration), table) in enumerate(runs.items()):
        make_run(tmp_path / f"{number}", table, semantic(name, calibration))
    make_run(tmp_path / "9", table_of(0.0), ("head=constant",))  # of no predictor's name
    found = best_of_grid(tmp_path, 5, bool)
    assert [(choice.name, choice.calibration) for choice in found] == [("a", "platt"), ("b", "zscore")]
    # there is no calibration part here: the out-of-fold rows stand in for it
    table = table_of(0.5)
    rows = table.split == "train_oof"
    expected = np.mean([roc_auc_score(table.correct[rows, m], table.confidence[rows, m]) for m in range(3)])
    assert found[0].auc == pytest.approx(expected)
    with pytest.raises(UserError, match="experiment/semantic"):
        best_of_grid(tmp_path, 5, lambda name: name == "c")
    only_test = table_of(0.5)
    make_run(tmp_path / "t", only_test.select(only_test.split == "test"), semantic("t", "none"))
    with pytest.raises(UserError, match=r"t/metrics\.json: found no selection_auc"):
        best_of_grid(tmp_path, 5, lambda name: name == "t")


def test_a_choice_is_a_name_and_perhaps_a_calibration() -> None:
    assert Choice.parse("u_emb_mt:isotonic") == Choice("u_emb_mt", "isotonic")
    assert Choice.parse("u_emb_mt") == Choice("u_emb_mt", None)


@pytest.fixture
def compared(tmp_path, tables, make_run):
    folders = {name: make_run(tmp_path / name, table) for name, table in reversed(tables.items())}
    return compare_pool("six", folders, "prefill", num_resamples=30)


def test_differences_are_those_of_the_paired_comparison(compared, tables) -> None:
    assert list(compared.metrics) == ["prefill", "far", "near"]
    for name in ("far", "near"):
        expected = compare(tables["prefill"], tables[name], num_resamples=30)
        for key in TABLES_4_TO_6:
            found = compared.differences[name][key]
            assert found.value == pytest.approx(expected["difference"][key])
            assert (found.low, found.high) == pytest.approx(expected["intervals"][key])
    auc, brier = catalogued(["mean_auc", "mean_brier"])
    far = compared.differences["far"]
    assert far["mean_auc"].favours(auc) == 1
    assert far["mean_brier"].sign == -1
    assert far["mean_brier"].favours(brier) == 1  # lower is better
    assert compared.differences["near"]["mean_auc"].favours(auc) == 0


def test_a_reference_without_a_run_is_named(tmp_path, tables, make_run) -> None:
    folders = {"far": make_run(tmp_path / "far", tables["far"])}
    with pytest.raises(UserError, match="pool six: no run of prefill; found far"):
        compare_pool("six", folders, "prefill")


def test_runs_of_other_test_rows_are_refused(tmp_path, tables, make_run) -> None:
    other = tables["far"].select(np.arange(len(tables["far"])) != 1)
    folders = {"prefill": make_run(tmp_path / "a", tables["prefill"]), "far": make_run(tmp_path / "b", other)}
    with pytest.raises(UserError, match="the second table: expected the same test queries, found no 'q1'"):
        compare_pool("six", folders, "prefill", num_resamples=5)


@pytest.mark.parametrize(
    ("key", "difference", "expected"),
    [
        ("mean_auc", (0.0123, 0.001, 0.02), ("+0.0123 *", "[+0.0010, +0.0200]")),
        ("mean_brier", (-0.0004, -0.001, 0.0002), ("−0.0004", "[−0.0010, +0.0002]")),
        ("hull_gain", (0.0123, -0.001, 0.02), ("+1.23\u00a0pp", "[−0.10, +2.00]\u00a0pp")),
        ("cost_savings", (-0.05, -0.06, -0.04), ("−5.00\u00a0pp *", "[−6.00, −4.00]\u00a0pp")),
        ("efficacy", (None, None, None), ("–", "")),
        ("efficacy", (0.1, None, None), ("+0.1000", "")),
        ("mean_auc", (0.0, 0.0, 0.0), ("0.0000", "[0.0000, 0.0000]")),
    ],
)
def test_differences_in_words(key, difference, expected) -> None:
    assert difference_text(Difference(*difference), catalogued([key])[0]) == expected


def test_the_frame_has_every_number(compared) -> None:
    frame = compared.frame(SHOWN).set_index(["router", "metric"])
    assert len(frame) == 3 * len(TABLES_4_TO_6)
    row = frame.loc[("far", "mean_brier")]
    assert row["value"] == pytest.approx(compared.metrics["far"]["test"]["mean_brier"])
    assert [row["low"], row["high"]] == compared.metrics["far"]["intervals"]["mean_brier"]
    assert row["prefill_minus_it"] == pytest.approx(
        frame.loc[("prefill", "mean_brier"), "value"] - row["value"]
    )
    assert row["excludes_0"]
    assert not frame.loc[("near", "mean_auc"), "excludes_0"]


def test_the_reference_alone_is_a_table_of_values(tmp_path, tables, make_run) -> None:
    alone = compare_pool("six", {"prefill": make_run(tmp_path / "a", tables["prefill"])}, "prefill")
    stream = io.StringIO()
    print_comparison(alone, SHOWN, Screen(file=stream, columns=210))
    assert "minus" not in stream.getvalue()


def test_the_forest_shows_every_difference_where_it_lies(compared) -> None:
    with styled():
        drawing = forest_drawing(compared, SHOWN)
    panels = {axes.get_title(loc="left"): axes for axes in drawing.figure.axes}
    for metric, title in ((SHOWN[0], "Mean AUC ↑"), (SHOWN[1], "Mean Brier ↓")):
        lines = panels[title].get_lines()
        for place, name in enumerate(compared.differences):
            found = compared.differences[name][metric.key]
            drawn = [line for line in lines if list(line.get_ydata()) in ([place, place], [place])]
            assert [list(line.get_xdata()) for line in drawn] == [[found.low, found.high], [found.value]]
            assert {line.get_color() for line in drawn} == {COLOURS[found.favours(metric)]}
    assert [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()] == ["far", "near"]
    assert "Mean AUC 1 better, 0 worse" in drawing.alt
