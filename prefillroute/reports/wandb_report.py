"""Builds the report of a sweep on W&B, of native charts over its runs, text and one table."""

from collections.abc import Sequence
from typing import Any

import wandb
import wandb_workspaces.reports.v2 as wr
from wandb_workspaces import expr

from prefillroute.config.guard import one_line
from prefillroute.errors import UserError
from prefillroute.reports.catalogue import Metric, catalogued
from prefillroute.reports.headline import interval_text, number
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep import summary_metrics
from prefillroute.reports.tracked import TEST
from prefillroute.reports.wandb_runs import TIMEOUT_S, TrackedRun, TrackedSweep
from prefillroute.reports.wandb_vega import HEAT_MAP, PROFILES, store_charts
from prefillroute.routing.statistics.hull_gain import HULL_GAIN

WIDE, HIGH = 24, 12
"""Size of a panel, in W&B's units; a report is 24 wide."""
LISTED = 200
"""Most rows of the table of headline metrics."""


def save_sweep_report(sweep: TrackedSweep, sort_by: str = "mean_auc") -> tuple[str, dict[str, str]]:
    """Save a sweep's report in its project.

    Args:
        sweep: the runs.
        sort_by: metric of metrics.json's section ``test`` that orders the table and that the choices are judged by.

    Returns:
        The report's address, and what W&B said about each chart of ours that it did not store.

    Raises:
        UserError: the metric is unknown, or W&B refuses the report.
    """
    metric, shown = summary_metrics(sort_by)
    try:
        refused = store_charts(wandb.Api(timeout=TIMEOUT_S), sweep.entity)
        report = sweep_report(sweep, metric, shown)
        report.save()
    except Exception as error:  # the client raises errors of many kinds
        raise UserError(f"W&B: the report was not saved: {one_line(error)}") from error
    return str(report.url), refused


def sweep_report(sweep: TrackedSweep, metric: Metric, shown: Sequence[Metric]) -> wr.Report:
    """The report, not yet saved.

    Args:
        sweep: the runs.
        metric: orders the table; the choices are judged by it.
        shown: the table's metrics.
    """
    return wr.Report(
        entity=sweep.entity,
        project=sweep.project,
        title=f"Sweep {sweep.name}",
        description=_state_line(sweep),
        width="fluid",
        blocks=[
            wr.TableOfContents(),
            wr.H1("What was run"),
            wr.MarkdownBlock(_what_was_run(sweep)),
            *_again(sweep),
            wr.H1("Headline metrics"),
            wr.MarkdownBlock(headline_table(sweep.runs, metric, shown)),
            wr.H1("AUC by encoder and target"),
            _grid(sweep, _heat_map(sweep)),
            wr.H1("Accuracy against cost"),
            _grid(sweep, _curves(sweep)),
            wr.H1("Layer profiles"),
            wr.P(
                "AUC of the best dimension at each layer, mean over targets; runs that scored no layer have no line."
            ),
            _grid(sweep, _profiles(sweep)),
            wr.H1("Choices"),
            _grid(sweep, _coordinates(sweep, metric), _importance(metric)),
            wr.H1("Training"),
            _grid(sweep, *_losses()),
        ],
    )


def headline_table(runs: Sequence[TrackedRun], metric: Metric, shown: Sequence[Metric]) -> str:
    """Markdown with a row per finished run, best first, and 95 % intervals.

    Args:
        runs: all runs; those that have no value of `metric` come last.
        metric: orders the rows.
        shown: the columns.
    """
    sign = -1.0 if metric.better == "higher" else 1.0

    def place(run: TrackedRun) -> tuple[bool, float]:
        value = number(run.metrics["test"], metric.key)
        return (True, 0.0) if value is None else (False, sign * value)

    finished = sorted((run for run in runs if run.state == "finished"), key=place)
    heads = ["run", *(f"{entry.label} {entry.direction}".strip() for entry in shown)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for run in finished[:LISTED]:
        metrics = run.metrics
        cells = [run.name]
        for entry in shown:
            ends = interval_text(metrics, entry)
            value = entry.form(number(metrics["test"], entry.key))
            cells.append(value if ends == MISSING else f"{value} {ends}")
        lines.append(_row(cells))
    more = len(finished) - LISTED
    note = f"\n\nThe best {LISTED} of {len(finished)} runs." if more > 0 else ""
    return "\n".join(lines) + note + "\n\nBrackets are 95 % bootstrap intervals over test queries."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return "".join(f"\\{letter}" if letter in r"\|*_`<>#" else letter for letter in " ".join(text.split()))


def _state_line(sweep: TrackedSweep) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(sweep.states.items()))
    return f"{len(sweep.runs)} run{'s' * (len(sweep.runs) != 1)}: {counts}"


def _what_was_run(sweep: TrackedSweep) -> str:
    lines = [f"{_state_line(sweep)}.", ""]
    for key, values in sweep.choices.items():
        lines.append(f"- {_plain(key.removeprefix('choices.'))}: {_plain(', '.join(values))}")
    failed = [run for run in sweep.runs if "error" in run.summary]
    if failed:
        lines += ["", "Not finished:", ""]
        lines += [f"- {_plain(run.name)}: {_plain(str(run.summary['error']))}" for run in failed]
    return "\n".join(lines)


def _again(sweep: TrackedSweep) -> list[Any]:
    if not sweep.again:
        return []
    blocks: list[Any] = [wr.H2("To run it again")]
    if sweep.definition:
        blocks.append(wr.CodeBlock(code=sweep.definition, language="yaml"))
    else:
        blocks.append(wr.P("In the folder where it was run; jobs that have finished are not trained again:"))
    # A `CodeBlock` knows no shell.
    return [*blocks, wr.MarkdownBlock(f"```bash\n{sweep.again}\n```")]


def _grid(sweep: TrackedSweep, *panels: Any) -> wr.PanelGrid:
    key = expr.Metric("Sweep" if sweep.of_agents else "Group")
    runs = wr.Runset(
        entity=sweep.entity, project=sweep.project, name=sweep.name, filters=expr.And(key == sweep.name)
    )
    return wr.PanelGrid(runsets=[runs], panels=list(panels), hide_run_sets=False)


def _layout(x: int = 0, width: int = WIDE) -> wr.Layout:
    return wr.Layout(x=x, y=0, w=width, h=HIGH)


def _heat_map(sweep: TrackedSweep) -> wr.CustomChart:
    return wr.CustomChart(
        query={"summaryTable": {"tableKey": "targets"}},
        chart_name=f"{sweep.entity}/{HEAT_MAP}",
        chart_fields={"row": "encoder", "column": "target", "value": "auc"},
        chart_strings={"title": "AUC, mean over the runs of an encoder"},
        layout=_layout(),
    )


def _curves(sweep: TrackedSweep) -> wr.CustomChart:
    return wr.CustomChart(
        query={"summaryTable": {"tableKey": "accuracy_cost_table"}},
        chart_name="wandb/line/v0",
        chart_fields={"x": "usd_per_1000", "y": "accuracy"},
        chart_strings={"title": "Accuracy against cost (USD per 1,000 queries), a line per run"},
        layout=_layout(),
    )


def _profiles(sweep: TrackedSweep) -> wr.CustomChart:
    return wr.CustomChart(
        query={"summaryTable": {"tableKey": "layer_profile_table"}},
        chart_name=f"{sweep.entity}/{PROFILES}",
        chart_fields={"layer": "layer", "value": "auc", "line": "line"},
        chart_strings={"title": "AUC by layer"},
        layout=_layout(),
    )


def _coordinates(sweep: TrackedSweep, metric: Metric) -> wr.ParallelCoordinatesPlot:
    columns = [
        wr.ParallelCoordinatesPlotColumn(metric=wr.Config(key), display_name=key.removeprefix("choices."))
        for key in sweep.choices
    ]
    for entry in dict.fromkeys((catalogued(HULL_GAIN), metric)):
        columns.append(
            wr.ParallelCoordinatesPlotColumn(
                metric=wr.SummaryMetric(f"{TEST}{entry.key}"), display_name=entry.label
            )
        )
    return wr.ParallelCoordinatesPlot(columns=columns, title="Choices and metrics", layout=_layout(0, 14))


def _importance(metric: Metric) -> wr.ParameterImportancePlot:
    return wr.ParameterImportancePlot(with_respect_to=f"{TEST}{metric.key}", layout=_layout(14, WIDE - 14))


def _losses() -> list[wr.LinePlot]:
    half = WIDE // 2
    return [
        wr.LinePlot(x="epoch", y=[key], title=title, layout=_layout(place, half))
        for key, title, place in (
            ("train/loss", "Training loss", 0),
            ("val/loss", "Validation loss", half),
        )
    ]
