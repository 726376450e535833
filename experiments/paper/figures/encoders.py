"""Figures of the encoder sweep: the heat map of AUC, and what becomes of AUC as encoders grow."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from experiments.paper.contrasts import Contrasts
from experiments.paper.wording import heading
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.headline import interval, number
from prefillroute.reports.numbers import decimal, joined, significant
from prefillroute.reports.style import CYCLE, GREY

SHADES = LinearSegmentedColormap.from_list("shades", ("#f3f6fa", "#9cc3e0", "#2b78b4", "#0b3c66"))
"""From the least to the greatest AUC."""
ON_LIGHT, ON_DARK = "#101418", "#fdfdfd"
"""Figures in cells, whose colours do not follow the page's theme."""
LINE_STYLES = ((0, (4, 2)), (0, (1, 1.5)))
SIZE_METRICS = ("mean_auc", "relative_auc", "hull_gain")


def heat_map(names: Sequence[str], targets: Sequence[str], auc: np.ndarray) -> Drawing:
    """Draw AUC (lines, targets), the best of each target in bold; inside ``styled()``."""
    lines, columns = drawn_names(names, longest=24), drawn_names(targets)
    figure = new_figure(2.9 + 1.25 * len(names), 1.5 + 0.27 * len(targets))
    axes = figure.add_subplot()
    known = auc[~np.isnan(auc)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.5, 1.0)
    scale = Normalize(low, max(high, low + 1e-3))
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(auc.T), cmap=SHADES, norm=scale, edgecolors="none", linewidth=0
    )
    best = np.full(len(targets), -1)
    scored = ~np.isnan(auc).all(axis=0)
    best[scored] = np.nanargmax(auc[:, scored], axis=0)
    for target in range(len(targets)):
        for line in range(len(names)):
            value = auc[line, target]
            dark = not np.isnan(value) and scale(value) > 0.55
            axes.text(
                line + 0.5,
                target + 0.5,
                decimal(value, 3),
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold" if best[target] == line and len(names) > 1 else "normal",
                color=GREY if np.isnan(value) else ON_DARK if dark else ON_LIGHT,
            )
    axes.set_xticks(np.arange(len(names)) + 0.5, lines.names, rotation=30, ha="left", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(targets)) + 0.5, columns.names)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, shrink=min(1.0, 4 / (1 + 0.27 * len(targets))), pad=0.03)
    bar.set_label("ROC-AUC on test")
    bar.outline.set_visible(False)
    said = (
        f"{name}: AUC from {decimal(np.nanmin(row), 3)} to {decimal(np.nanmax(row), 3)}, best on "
        f"{int((best == number_).sum())}"
        for number_, (name, row) in enumerate(zip(names, auc, strict=True))
        if not np.isnan(row).all()
    )
    alt = f"AUC of {len(names)} lines on {len(targets)} targets. {'; '.join(said)}."
    caption = "ROC-AUC on the test rows; the best of each target in bold."
    stands_for = {**lines.stands_for, **columns.stands_for}
    return Drawing("auc_matrix", figure, "AUC per target", alt, caption, stands_for=stands_for)


def size_drawing(contrasts: Contrasts, sizes: Mapping[str, float], modes: Sequence[str]) -> Drawing:
    """Draw mean AUC, relative AUC and hull gain over the encoders' sizes; modes over all encoders are lines.

    Args:
        contrasts: the runs.
        sizes: encoder to 10^9 parameters.
        modes: names of the runs that read all encoders.
    """
    metrics = [metric for metric in contrasts.judged if metric.key in SIZE_METRICS]
    figure = new_figure(11.0, 3.9)
    panels = figure.subplots(1, len(metrics))
    ordered = sorted(sizes, key=lambda name: sizes[name])
    drawn = drawn_names([*ordered, *modes])
    marks, sentences = {}, []
    for axes, metric in zip(panels, metrics, strict=True):
        values = {name: number(contrasts.metrics[name]["test"], metric.key) for name in (*ordered, *modes)}
        ends = {name: interval(contrasts.metrics[name], metric.key) for name in (*ordered, *modes)}
        known = [name for name in ordered if values[name] is not None]
        axes.plot(
            [sizes[name] for name in known], [values[name] for name in known], color=GREY, lw=1, zorder=2
        )
        for place, name in enumerate(ordered):
            colour = CYCLE[place % len(CYCLE)]
            if (pair := ends[name]) is not None:
                axes.plot([sizes[name]] * 2, pair, color=colour, lw=1.8, zorder=3)
            if values[name] is not None:
                marks[name] = axes.plot(sizes[name], values[name], "o", ms=7, color=colour, zorder=4)[0]
        for name, style in zip(modes, LINE_STYLES, strict=False):
            if values[name] is not None:
                marks[name] = axes.axhline(values[name], color=GREY, lw=1.6, ls=style, zorder=1)
        axes.set_xscale("log")
        shown = sorted(set(sizes.values()))
        axes.xaxis.set_major_locator(FixedLocator(shown))
        axes.xaxis.set_major_formatter(FixedFormatter([significant(size) for size in shown]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.15)
        axes.set_xlabel("10⁹ parameters")
        axes.set_title(heading(metric))
        said = ", ".join(f"{name} {metric.form(values[name])}" for name in (*ordered, *modes))
        sentences.append(f"{metric.label}: {said}.")
    entries = [name for name in (*ordered, *modes) if name in marks]
    names = dict(zip((*ordered, *modes), drawn.names, strict=True))
    name_legend(figure, [marks[name] for name in entries], [names[name] for name in entries], 4)
    caption = (
        f"Bars are 95 % intervals over test queries; those of two encoders overlap more than their paired difference "
        f"tells. Lines: {joined(list(modes))}."
        if modes
        else "Bars are 95 % intervals over test queries."
    )
    return Drawing(
        "size",
        figure,
        "Over the size of the encoder",
        " ".join(sentences),
        caption,
        stands_for=drawn.stands_for,
    )
