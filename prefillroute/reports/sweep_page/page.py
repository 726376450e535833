"""Renders the page of a sweep as one self-contained HTML text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from prefillroute.errors import UserError
from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING, count, decimal
from prefillroute.reports.run_folder import read_layers
from prefillroute.reports.style import SHARE_COLOURS, css_colour, styled
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.sweep_page.curves import RunCurve, run_curve, slider
from prefillroute.reports.sweep_page.data import curve_data, script_json, shaded_targets, stage_data
from prefillroute.reports.sweep_page.groups import groupings
from prefillroute.reports.sweep_page.matrix import STEPS, Matrix, matrix_of
from prefillroute.reports.sweep_page.pools import Pool, pools_of
from prefillroute.reports.sweep_page.profiles import mean_profile, profiles_drawing
from prefillroute.reports.sweep_page.stage import NUM_FIRST, Stage, stage
from prefillroute.reports.sweep_view import FAMILY_COLUMNS, SweepView, job_name
from prefillroute.reports.template import render_template, template_text
from prefillroute.text.visible import visible


@dataclass(frozen=True)
class PoolView:
    """One pool as the page shows it."""

    pool: Pool
    stages: list[tuple[str, Markup]]
    """(scale, SVG) of each figure; empty if no run has a curve."""
    marks_of: str
    """The run on whose test queries the marks stand, where runs of the pool have different ones; else empty."""
    first: list[tuple[str, str]]
    """Name and colour of each run that the static figure draws."""
    matrix: Matrix | None
    profiles: tuple[Markup, str] | None
    """SVG and caption."""
    data: dict[str, Any]


def render_sweep(sweep_dir: Path, view: SweepView) -> str:
    """The page of a sweep; it reads each finished run's folder once."""
    lambdas = slider(len(view.finished))
    curves, without = _curves(sweep_dir, view.finished, lambdas)
    pools = pools_of(view.finished, view.varied)
    with styled():
        shown = [_pool(sweep_dir, view, number, pool, curves) for number, pool in enumerate(pools)]
    pool_of = {index: number for number, pool in enumerate(pools) for index in pool.members}
    runs = [_run(job, view, pool_of[index], curves.get(index)) for index, job in enumerate(view.finished)]
    data = {"lambdas": len(lambdas), "first": NUM_FIRST, "pools": [pool.data for pool in shown], "runs": runs}
    links = [(sweep_dir / job.folder / "report.html").exists() for job in view.finished]
    return render_template(
        "sweep.html.j2",
        title=sweep_dir.resolve().name,
        view=view,
        rows=[_row(job, view, link) for job, link in zip(view.finished, links, strict=True)],
        sorted_by=[entry == view.metric for entry in view.shown],
        pools=shown,
        without=without,
        groupings=groupings(view.finished, pools, view.varied, view.shown),
        num_positions=count(len(lambdas)),
        shades=range(STEPS),
        decimal=decimal,
        missing=MISSING,
        family_columns=FAMILY_COLUMNS,
        style=Markup(template_text("sweep.css")),
        script=Markup("\n".join(map(template_text, ("sweep_table.js", "sweep_curves.js")))),
        data=script_json(data),
    )


def _curves(
    sweep_dir: Path, finished: Sequence[Job], lambdas: np.ndarray
) -> tuple[dict[int, RunCurve], list[tuple[str, str]]]:
    """The curves by position of their run, and (folder, reason) of each run that has none."""
    curves, without = {}, []
    for index, job in enumerate(finished):
        try:
            curves[index] = run_curve(sweep_dir / job.folder, job.metrics or {}, lambdas)
        except UserError as error:
            without.append((job.folder, str(error)))
    return curves, without


def _pool(sweep_dir: Path, view: SweepView, number: int, pool: Pool, curves: dict[int, RunCurve]) -> PoolView:
    drawn = [index for index in pool.members if index in curves]
    stages = _stages(number, pool, [curves[index] for index in drawn])
    profiles = _profiles(sweep_dir, number, [view.finished[index] for index in pool.members])
    return PoolView(
        pool=pool,
        stages=[(one.scale, Markup(one.drawing.inline_svg())) for one in stages],
        marks_of=_marks_of([curves[index] for index in drawn], view, drawn),
        first=[
            (visible(job_name(view.finished[index], view.varied)), css_colour(colour))
            for index, colour in zip(drawn, SHARE_COLOURS, strict=False)
        ],
        matrix=matrix_of(pool, view.finished, view.varied),
        profiles=profiles,
        data={
            "name": visible(pool.name),
            "targets": [visible(target) for target in pool.targets],
            "shaded": shaded_targets([curves[index] for index in drawn]) if drawn else [],
            "stages": [stage_data(one) for one in stages],
        },
    )


def _marks_of(curves: Sequence[RunCurve], view: SweepView, drawn: Sequence[int]) -> str:
    if all(np.array_equal(curve.plane.accuracy, curves[0].plane.accuracy) for curve in curves):
        return ""
    return visible(job_name(view.finished[drawn[0]], view.varied))


def _stages(number: int, pool: Pool, curves: Sequence[RunCurve]) -> list[Stage]:
    if not curves:
        return []
    drawn = [
        stage(f"curves-{number}-cost", "cost", pool.targets, curves[0].plane, curves),
        stage(f"curves-{number}-normalised", "normalised", pool.targets, curves[0].plane, curves),
    ]
    return [one for one in drawn if one is not None]


def _profiles(sweep_dir: Path, number: int, jobs: Sequence[Job]) -> tuple[Markup, str] | None:
    """The layer profiles of a pool's runs; a run whose layers.parquet cannot be read is left out."""
    found: list[pd.Series] = []
    depths: dict[str, int] = {}
    for job in jobs:
        try:
            layers = read_layers(sweep_dir / job.folder)
        except UserError:
            continue
        if layers is not None:
            found.append(mean_profile(layers))
            depths |= ((job.metrics or {}).get("layers") or {}).get("depths") or {}
    drawing = profiles_drawing(f"profiles-{number}", found, depths)
    return None if drawing is None else (Markup(drawing.inline_svg()), drawing.caption)


def _row(job: Job, view: SweepView, linked: bool) -> dict[str, Any]:
    """The cells of a run in the table."""
    numbers = []
    for entry in view.shown:
        ends = interval_text(job.metrics or {}, entry)
        numbers.append((entry.form(job.value(entry.key)), "" if ends == MISSING else ends))
    return {
        "folder": job.folder,
        "link": f"{job.folder}/report.html" if linked else "",
        "names": [visible(job.overrides.get(key, MISSING)) for key in view.varied],
        "numbers": numbers,
    }


def _run(job: Job, view: SweepView, pool: int, curve: RunCurve | None) -> dict[str, Any]:
    """A run as the script sees it: `values` has one entry per column of the table."""
    choices = [_choice(job.overrides.get(key)) for key in view.varied]
    return {
        "name": visible(job_name(job, view.varied)),
        "pool": pool,
        "values": [visible(job.folder), *choices, *(_finite(job.value(entry.key)) for entry in view.shown)],
        "curve": None if curve is None else curve_data(curve),
    }


def _choice(text: str | None) -> str | float | None:
    """A choice as a number if it is one, so that 10 comes after 9."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return visible(text)
    return value if isfinite(value) else visible(text)


def _finite(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else value
