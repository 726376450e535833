"""metrics.json as it is written."""

import json

from prefillroute.training.results import write_metrics


def test_an_interval_stands_on_one_line_and_nothing_else_changes(tmp_path) -> None:
    metrics = {
        "test": {"best_single": "odd [\n 1,\n 2\n] name", "mean_auc": 0.5},
        "intervals": {
            "mean_auc": [0.4, 0.6],
            "cost_at_best_single": [0.1, None],
            "targets.[1, 2].auc": [-1e-07, 1],
        },
        "cost_range": [1e-05, 0.25],
        "names": ["a", "b"],
        "three": [1, 2, 3],
        "nested": [[1, 2], [3.5, None]],
    }
    write_metrics(tmp_path, metrics)
    text = (tmp_path / "metrics.json").read_text()
    assert json.loads(text) == metrics
    for line in (
        '"mean_auc": [0.4, 0.6],',
        '"cost_at_best_single": [0.1, null],',
        '"targets.[1, 2].auc": [-1e-07, 1]',
    ):
        assert line in [found.strip() for found in text.splitlines()]
