"""One more metric costs one module: it is measured, explained, compared and shown, and no other file is touched."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from prefillroute.metrics.bootstrap import interval, resample_weights
from prefillroute.reports.catalogue import global_metrics, target_metrics
from prefillroute.reports.headline import headline_cards
from prefillroute.reports.sweep import summary_metrics
from prefillroute.reports.tables import metrics_table, targets_table
from prefillroute.routing import statistics
from prefillroute.routing.comparison import compare
from prefillroute.routing.evaluation import evaluate
from prefillroute.routing.table import ConfidenceTable
from prefillroute.training.results import print_headline

TOY = '''
"""How often the most confident target is right where it is sure."""

import numpy as np

from prefillroute.metrics.masked_mean import masked_mean
from prefillroute.routing.statistics.contract import RouterStatistic, Shown, TargetStatistic

SURE = 0.9


def sure_accuracy(view):
    first = view.table.confidence.argmax(axis=1)[:, None]
    confidence, correct = (
        np.take_along_axis(values, first, axis=1) for values in (view.table.confidence, view.table.correct)
    )
    return masked_mean(np.where(confidence > SURE, correct, np.nan), view.weights)[:, 0]


SURE_ACCURACY = RouterStatistic(
    key="sure_accuracy",
    compute=sure_accuracy,
    centred=True,
    otherwise="the router is never sure",
    shown=Shown(
        label="accuracy where sure",
        form="percent",
        better="higher",
        meaning="of the most confident target",
        on=("table", "card", "headline", "sweep"),
    ),
)
SURE_SHARE = TargetStatistic(
    key="sure_share",
    compute=lambda view: masked_mean((view.table.confidence > SURE).astype(float), view.weights),
    shown=Shown(label="sure", form="percent"),
)
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of somebody's own beside the package's, with one module."""
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(statistics, "__path__", [*statistics.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    yield
    del sys.modules[f"{statistics.__name__}.toy"], statistics.toy


def by_hand(table: ConfidenceTable, rows: np.ndarray) -> float:
    """Accuracy of the most confident target on those of the rows on which it is sure."""
    first = table.confidence.argmax(axis=1)
    right = [table.correct[row, first[row]] for row in rows if table.confidence[row].max() > 0.9]
    return float(np.mean(right))


@pytest.mark.usefixtures("toy")
def test_a_new_statistic_is_one_module(make_table, capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table(3)
    evaluation = evaluate(table, num_resamples=40, seed=3)
    metrics, test = evaluation.metrics, table.part("test")
    value = by_hand(test, np.arange(len(test)))
    assert metrics["test"]["sure_accuracy"] == pytest.approx(value)
    subset = np.flatnonzero(test.disagreement)
    assert metrics["disagreement"]["sure_accuracy"] == pytest.approx(by_hand(test, subset))
    (weights,) = resample_weights(len(test), 40, seed=3)
    resampled = [by_hand(test, np.repeat(np.arange(len(test)), row.astype(int))) for row in weights]
    assert metrics["intervals"]["sure_accuracy"] == pytest.approx(interval(np.array(resampled), centre=value))
    assert "disagreement.sure_accuracy" in metrics["intervals"]

    share = (test.confidence > 0.9).mean(axis=0)
    assert [entry["sure_share"] for entry in metrics["targets"].values()] == pytest.approx(share)
    assert f"targets.{test.targets[0]}.sure_share" in metrics["intervals"]

    assert metrics["test"]["constant_sure_accuracy"] is None, "a target is never right so often"
    assert metrics["reasons"]["test.constant_sure_accuracy"] == "the router is never sure"
    assert compare(table, table, num_resamples=0)["difference"]["sure_accuracy"] == 0.0

    assert [global_metrics(place)[-1].label for place in ("table", "card", "headline")] == 3 * [
        "Accuracy where sure"
    ]
    shown = f"{100 * value:.1f}\u00a0%"
    assert metrics_table(metrics).rows[-1].cells[:2] == ("Accuracy where sure ↑ better", shown)
    assert headline_cards(metrics)[-1].value == shown
    assert summary_metrics("sure_accuracy")[1][-1].key == "sure_accuracy"
    assert target_metrics()[-1].key == "sure_share"
    assert targets_table(test.targets, metrics).columns[-1].label == "sure"
    print_headline(evaluation, None)
    assert "accuracy where sure" in capsys.readouterr().out


def test_without_the_module_nothing_is_left_of_it(make_table) -> None:
    assert "sure_accuracy" not in evaluate(make_table(3), num_resamples=0).metrics["test"]
    assert "sure_accuracy" not in [metric.key for metric in global_metrics()]
