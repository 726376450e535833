"""`write_report` turns a run folder into figures and one self-contained HTML file."""

from pathlib import Path

import numpy as np
from markupsafe import Markup

from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.reports import headline, tables
from prefillroute.reports.accuracy_cost import accuracy_cost_drawing
from prefillroute.reports.choice import Chosen, choice_sentence, chosen_point
from prefillroute.reports.drawing import Drawing
from prefillroute.reports.layer_profile import ChosenBlock, layer_profile_drawing
from prefillroute.reports.numbers import decimal, joined, usd_per_thousand
from prefillroute.reports.operating import chosen_targets, operating_point
from prefillroute.reports.pool_plane import PoolPlane, pool_plane
from prefillroute.reports.reliability import reliability_drawing
from prefillroute.reports.routing_shares import routing_shares_drawing
from prefillroute.reports.run_folder import RunFolder, cost_range_of, read_run_folder
from prefillroute.reports.style import styled
from prefillroute.reports.template import render_template
from prefillroute.routing.statistics.router_cost import ROUTER_COST
from prefillroute.text import hints

UNCALIBRATED = {"none", "uncalibrated", "zscore"}
"""Calibrations whose output is a score, not a probability (DESIGN section 7)."""


def write_report(run_dir: Path) -> Path:
    """Write ``figures/*.png``, ``figures/*.svg`` and ``report.html`` into a run folder; return the path of the report.

    It reads only the run folder, so the report can be rebuilt at any time and on another machine.

    Raises:
        UserError: a file of the folder is missing, truncated or inconsistent, or the folder is not writable.
    """
    run = read_run_folder(Path(run_dir))
    plane = pool_plane(run.test)
    with styled():
        drawings = draw(run, plane)
        html = render(run, plane, drawings)
        path = run.path / "report.html"
        try:
            for drawing in drawings:
                drawing.save(run.path / "figures")
            write_text(path, html)
        except OSError as error:
            raise UserError(f"{path}: expected a writable run folder, found {error.strerror}") from error
    return path


def draw(run: RunFolder, plane: PoolPlane) -> list[Drawing]:
    """Every figure that the folder has data for, in the order of the page; call it inside ``styled()``."""
    cost_range = cost_range_of(run.path, run.metrics)
    point = chosen_point(run.metrics)
    chosen = None
    if point is not None:
        chosen = (
            point.words,
            *operating_point(run.test, _taken(run, point, cost_range), point.target is None),
        )
    drawings: list[Drawing | None] = []
    if plane.num_queries:
        drawings.append(accuracy_cost_drawing(run.targets, plane, run.curve, chosen))
    if run.layers is not None:
        depths = (run.metrics.get("layers") or {}).get("depths")
        drawings.append(layer_profile_drawing(run.layers, chosen_blocks(run), depths))
    drawings.append(reliability_drawing(run.targets, run.test))
    drawings.append(routing_shares_drawing(run.targets, run.test, cost_range, point))
    return [drawing for drawing in drawings if drawing is not None]


def _taken(run: RunFolder, point: Chosen, cost_range: tuple[float, float]) -> np.ndarray:
    """(N,) index of the target that each test query goes to at the chosen point."""
    if point.lambda_ is not None:
        return chosen_targets(run.test, point.lambda_, cost_range)
    return np.full(len(run.test.query_id), run.targets.index(str(point.target)))


def chosen_blocks(run: RunFolder) -> list[ChosenBlock]:
    """The distinct (encoder, layer, pooling) of the run's feature blocks, from metrics.json or else from the bundle."""
    layers = run.metrics.get("layers") or run.bundle
    found = [
        (str(block["encoder"]), int(layer), str(block["pooling"]))
        for block in layers.get("blocks", [])
        for layer in block["layers"]
    ]
    return sorted(set(found), key=lambda block: (block[0], block[2], block[1]))


def best_encoders(run: RunFolder) -> str:
    """For each encoder, the targets whose best block is one of its own: `small: a, b; large: c`."""
    layers = run.metrics.get("layers") or {}
    served: dict[str, list[str]] = {}
    for target, index in layers.get("per_target", {}).items():
        served.setdefault(str(layers["blocks"][index]["encoder"]), []).append(str(target))
    return "; ".join(f"{encoder}: {hints.listed(targets)}" for encoder, targets in served.items())


def title(run: RunFolder) -> str:
    """The run's source (the encoders or the semantic signal), pool, head and calibration."""
    signal = run.choice("signal") or "prefill"
    encoders = dict.fromkeys(encoder for encoder, _, _ in chosen_blocks(run))
    read = (" + ".join(encoders) or run.choice("encoder")) if signal == "prefill" else signal
    named = [read, *(run.choice(group) for group in ("pool", "head", "calibration"))]
    return " · ".join(name for name in named if name) or run.path.resolve().name


def facts(run: RunFolder) -> list[tuple[str, str]]:
    """Further facts that a reader needs before the numbers."""
    blocks = chosen_blocks(run)
    several = len({encoder for encoder, _, _ in blocks}) > 1
    read: dict[str, list[str]] = {}
    for encoder, layer, pooling in blocks:
        read.setdefault(f"{encoder} {pooling}" if several else pooling, []).append(str(layer))
    said = [("layers read", "; ".join(f"{name} {', '.join(layers)}" for name, layers in read.items()))]
    if several:
        said += [("mode", run.choice("mode") or ""), ("encoder of the best block", best_encoders(run))]
    said += [
        ("layer choice" if group == "layers" else group, run.choice(group) or "")
        for group in ("signal", "layers", "cost", "policy")
    ]
    if router := headline.number(run.metrics["test"], ROUTER_COST.key):
        said.append(
            ("router's own cost", f"{usd_per_thousand(router)} USD per 1,000 queries, in all its costs")
        )
    if (point := chosen_point(run.metrics)) is not None:
        said.append(
            ("chosen λ", decimal(point.lambda_) if point.target is None else f"none, {point.target} instead")
        )
    said.append(("seed", str(run.config.get("seed", ""))))
    return [(name, value) for name, value in said if value]


def render(run: RunFolder, plane: PoolPlane, drawings: list[Drawing]) -> str:
    """The page as HTML text, with drawings and style inside it and no URL of anything outside."""
    metrics = run.metrics
    return render_template(
        "report.html.j2",
        title=title(run),
        facts=facts(run),
        cards=headline.headline_cards(metrics),
        choice=choice_sentence(metrics),
        verdict=headline.hull_gain_verdict(metrics),
        scope=headline.scope_note(plane.num_queries, plane.num_left_out, len(run.targets)),
        # Each drawing has escaped its own text.
        drawings=[(drawing, Markup(drawing.inline_svg())) for drawing in drawings],
        tables=_tables(run),
        notes=headline.null_notes(metrics) + baseline_notes(run) + calibration_note(run) + layer_notes(run),
        command=run.command,
        config_text=run.config_text,
        folder=run.path.resolve().name,
    )


def _tables(run: RunFolder) -> list[tables.Table]:
    """The tables that the folder has numbers for."""
    found = [
        tables.strategies_table(run.metrics),
        tables.metrics_table(run.metrics),
        tables.targets_table(run.targets, run.metrics),
        tables.disagreement_table(run.metrics),
        tables.timings_table(run.metrics.get("timings_s") or {}),
    ]
    return [table for table in found if table is not None]


def baseline_notes(run: RunFolder) -> list[tuple[str, str]]:
    """Notes on what the evaluation had to compute from other rows than intended."""
    return [(str(name), str(text)) for name, text in (run.metrics.get("notes") or {}).items()]


def calibration_note(run: RunFolder) -> list[tuple[str, str]]:
    """A warning if the confidences are scores rather than probabilities."""
    recorded = run.metrics.get("calibration") or {}
    name = str(recorded.get("name") or run.choice("calibration") or "")
    if recorded.get("calibrated", name.lower() not in UNCALIBRATED):
        return []
    reason = (
        f"{name} gives scores, not probabilities: Brier, ECE and log loss are those of an uncalibrated score"
    )
    return [("calibration", reason)]


def layer_notes(run: RunFolder) -> list[tuple[str, str]]:
    """Notes on what the layer choice left out and on the targets that it could not score."""
    layers = run.metrics.get("layers") or {}
    notes = [("layers", str(note)) for note in layers.get("notes", [])]
    if layers.get("unscored"):
        names = joined([str(name) for name in layers["unscored"]])
        notes.append(("layers", f"one class in training, given the block that is best on average: {names}"))
    return notes
