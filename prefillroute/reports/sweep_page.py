"""summary.html of a sweep: the same tables as in the terminal, with links to each run's report."""

from pathlib import Path

from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_view import FAMILY_COLUMNS, SweepView
from prefillroute.reports.template import render_template
from prefillroute.text.visible import visible


def render_sweep(sweep_dir: Path, view: SweepView) -> str:
    """The summary as one HTML text."""
    rows = []
    for job in view.finished:
        numbers = []
        for entry in view.shown:
            ends = interval_text(job.metrics or {}, entry)
            numbers.append((entry.form(job.value(entry.key)), "" if ends == MISSING else ends))
        link = f"{job.folder}/report.html" if (sweep_dir / job.folder / "report.html").exists() else ""
        names = [visible(job.overrides.get(key, MISSING)) for key in view.varied]
        rows.append({"folder": job.folder, "link": link, "names": names, "numbers": numbers})
    return render_template(
        "sweep.html.j2",
        title=sweep_dir.resolve().name,
        view=view,
        rows=rows,
        family_columns=FAMILY_COLUMNS,
    )
