"""summary.html of a sweep: the same table as in the terminal, with links to each run's report."""

from collections.abc import Sequence
from pathlib import Path

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.headline import interval_text
from prefillroute.reports.numbers import MISSING
from prefillroute.reports.sweep_jobs import Job
from prefillroute.reports.template import render_template


def render_sweep(
    sweep_dir: Path,
    finished: Sequence[Job],
    failed: Sequence[Job],
    varied: Sequence[str],
    shown: Sequence[Metric],
    metric: Metric,
) -> str:
    """The summary as one HTML text; ``finished`` best first, ``varied`` the overrides that differ."""
    rows = []
    for job in finished:
        numbers = []
        for entry in shown:
            ends = interval_text(job.metrics or {}, entry)
            numbers.append((entry.form(job.value(entry.key)), "" if ends == MISSING else ends))
        link = f"{job.folder}/report.html" if (sweep_dir / job.folder / "report.html").exists() else ""
        names = [job.overrides.get(key, MISSING) for key in varied]
        rows.append({"folder": job.folder, "link": link, "names": names, "numbers": numbers})
    return render_template(
        "sweep.html.j2",
        title=sweep_dir.resolve().name,
        varied=varied,
        shown=shown,
        metric=metric,
        rows=rows,
        failed=failed,
    )
