"""The layer profile and the facts of a run that reads several encoders."""

import json

import pandas as pd

from prefillroute.reports.layer_profile import layer_profile_drawing
from prefillroute.reports.report import write_report
from prefillroute.reports.style import styled


def two_encoders(finished_run) -> pd.DataFrame:
    """The layers of encoder `tiny`, of 4 layers, and of `large`, of 8, whose layers 0, 2, .. 8 score higher."""
    tiny = pd.read_parquet(finished_run / "layers.parquet")
    large = tiny.assign(encoder="large", layer=2 * tiny["layer"], auc=tiny["auc"] + 0.05)
    return pd.concat([tiny, large], ignore_index=True)


def lines_of(drawing) -> list[list[list[float]]]:
    """The x values of every line, by panel."""
    return [[line.get_xdata().tolist() for line in axes.lines] for axes in drawing.figure.axes]


def test_encoders_of_different_depths_share_an_axis_of_relative_depth(finished_run):
    layers = two_encoders(finished_run)
    chosen = [("tiny", 3, "mean"), ("large", 6, "mean")]
    with styled():
        drawing = layer_profile_drawing(layers, chosen, {"tiny": 4, "large": 8})
        by_layer = layer_profile_drawing(layers, chosen, {"tiny": 8, "large": 8})
        unknown = layer_profile_drawing(layers, chosen)
    first, second = lines_of(drawing)[0], lines_of(drawing)[2]
    assert first[:-1] == second  # the last line of the first panel is the legend's mark
    assert [0.25, 0.5, 0.75, 1.0] in first
    assert [0.75] in first
    assert {axes.get_xlabel() for axes in drawing.figure.axes} == {"depth (layer / number of layers)"}
    for each in (by_layer, unknown):
        assert [2, 4, 6, 8] in lines_of(each)[2]
        assert {axes.get_xlabel() for axes in each.figure.axes} == {"layer"}
    assert "tiny: last pooling peaks at layer 4 with" in drawing.alt
    assert "Chosen: layer 6 mean." in drawing.alt
    means = layers.groupby(["encoder", "pooling", "layer", "dim"])["auc"].mean()
    encoder, pooling, layer, dim = means.idxmax()
    assert f"layer {layer} {pooling} of {encoder} with {dim} dimensions, mean AUC" in drawing.alt


def test_encoders_of_different_targets_are_not_compared(finished_run):
    layers = two_encoders(finished_run)
    served = {"tiny": ["model-0-instruct", "model-2-instruct"], "large": ["model-1-instruct"]}
    part = layers[[row.target in served[row.encoder] for row in layers.itertuples()]]
    with styled():
        sentence = layer_profile_drawing(part, [], {"tiny": 4, "large": 8}).alt
    assert "tiny (for model-0-instruct and model-2-instruct): last" in sentence
    assert "large (for model-1-instruct): last" in sentence
    assert "over all encoders" not in sentence


def test_one_encoders_profile_does_not_depend_on_its_depth(finished_run):
    layers = pd.read_parquet(finished_run / "layers.parquet")
    with styled():
        first, second = (
            layer_profile_drawing(layers, [("tiny", 3, "mean")], depths)
            for depths in (None, {"tiny": 4, "x": 9})
        )
        assert first.inline_svg() == second.inline_svg()
    assert first.alt == second.alt


def test_marks_are_drawn_in_order_of_layers(finished_run):
    layers = pd.read_parquet(finished_run / "layers.parquet")
    with styled():
        drawing = layer_profile_drawing(layers, [("tiny", layer, "mean") for layer in (4, 1, 3, 2)])
    assert [
        line.get_xdata().tolist() for line in drawing.figure.axes[0].lines if line.get_markersize() == 9
    ] == [
        [],
        [1, 2, 3, 4],
    ]


def test_several_encoders_are_named_with_the_targets_that_they_serve_best(run_folder, finished_run):
    folder = run_folder()
    two_encoders(finished_run).to_parquet(folder / "layers.parquet")
    blocks = [
        {"encoder": encoder, "layers": [3], "pooling": "mean", "dim": 50} for encoder in ("tiny", "large")
    ]
    per_target = {"model-0-instruct": 1, "model-1-instruct": 0, "model-2-instruct": 1}
    layers = {"blocks": blocks, "per_target": per_target, "unscored": [], "notes": ["tiny: constant"]}
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text()) | {"layers": layers | {"depths": {"tiny": 4, "large": 8}}}
    path.write_text(json.dumps(metrics))
    text = write_report(folder).read_text(encoding="utf-8")
    assert "large: model-0-instruct, model-2-instruct; tiny: model-1-instruct" in text
    assert "large + tiny · three · shared_trunk · platt" in text
    assert "tiny: constant" in text
    assert "The best block over all encoders is" in text
