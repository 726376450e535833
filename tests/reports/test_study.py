"""The report of a study: the front by brute force and by Optuna itself, and the files."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import decimal
from prefillroute.reports.study import Trial, pareto_front, view_study, write_study
from prefillroute.text.screen import Screen

GAIN = Metric("gain", "gain", decimal, "higher", "what is gained")
WORK = Metric("work", "work", decimal, "lower", "what it takes")
VALUES = [(1.0, 5.0), (2.0, 9.0), None, (1.0, 7.0), (2.0, 9.0), (3.0, 90.0)]


@pytest.fixture
def trials() -> list[Trial]:
    return [
        Trial(
            number,
            {"head.width": str(number), "rate": "<b>"},
            values,
            str(number),
            "finished" if values else "why",
        )
        for number, values in enumerate(VALUES)
    ]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_the_front_is_what_no_other_point_beats(points: list[tuple[int, int, int]]) -> None:
    def beats(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return one != other and all(a >= b for a, b in zip(one, other, strict=True))

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert pareto_front(np.array(points, dtype=float).reshape(-1, 3)).tolist() == expected


def test_each_point_of_the_front_is_shown_once_best_first(trials: list[Trial]) -> None:
    view = view_study(trials, [GAIN, WORK])
    assert [trial.number for trial in view.front] == [5, 1, 0]
    assert [trial.number for trial in view.others] == [3, 4]
    assert [trial.number for trial in view.failed] == [2]
    assert view.keys == ["head.width", "rate"]


@pytest.mark.parametrize("objectives", [[GAIN, WORK], [GAIN], [GAIN, WORK, GAIN]])
def test_files_and_terminal(trials: list[Trial], tmp_path: Path, objectives: list[Metric]) -> None:
    own = [
        Trial(
            trial.number,
            trial.choices,
            trial.values and (*trial.values, 0.5)[: len(objectives)],
            state=trial.state,
        )
        for trial in trials
    ]
    importance = {"head.width": [0.75] * len(objectives)}
    view = replace(view_study(own, objectives), importance=importance)
    stream = io.StringIO()
    page = write_study(tmp_path, view, Screen(file=stream, columns=160)).read_text(encoding="utf-8")
    printed = stream.getvalue()
    assert "importance of head.width: 75" in printed
    assert "1 trial without values" in printed
    assert printed.count("│") >= len(view.front)
    for text in ("&lt;b&gt;", "why", "<svg", "Pareto front"):
        assert text in page
    assert "<b>" not in page.split("<main>")[1]
    assert (tmp_path / "figures" / "study.png").stat().st_size > 1000
    frame = pd.read_csv(tmp_path / "study.csv")
    assert frame["trial"].tolist() == list(range(6))
    assert frame.loc[frame["front"], "trial"].tolist() == sorted(trial.number for trial in view.front)
    assert frame.loc[2, ["gain", "state"]].tolist()[1] == "why"
    assert np.isnan(frame.loc[2, "gain"])


def test_a_study_in_which_nothing_finished(tmp_path: Path) -> None:
    trials = [Trial(0, {"a": "1"}, None, state="killed")]
    page = write_study(tmp_path, view_study(trials, [GAIN, WORK]), Screen(file=io.StringIO()))
    assert "killed" in page.read_text(encoding="utf-8")
