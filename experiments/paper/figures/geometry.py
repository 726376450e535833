"""Figures of the geometry: profiles over relative depth, encoders side by side, and the findings as a forest."""

import math
from collections.abc import Sequence

import numpy as np

from experiments.comparing.forest import COLOURS
from experiments.comparing.pool import Difference
from experiments.paper.parts.geometry_cells import Cells
from experiments.paper.wording import heading
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import decimal
from prefillroute.reports.style import CYCLE, GREY, INK

ROWS = (
    ("d_eff", "effective\ndimension"),
    ("anisotropy", "anisotropy"),
    ("fisher_j", "Fisher J,\nmean over targets"),
    ("auc", "AUC of the probe,\nmean over targets"),
)
LOWEST = "anisotropy"
"""The score whose least value is marked, since the paper takes isotropy for the virtue."""


def profile_drawing(found: Sequence[Cells]) -> Drawing:
    """Draw one column per encoder and one line per pooling; inside ``styled()``. Rings mark each line's peak."""
    figure = new_figure(max(5.2, 1.0 + 3.3 * len(found)), 8.6)
    grid = figure.subplots(len(ROWS), len(found), squeeze=False, sharex=True, sharey="row")
    poolings = list(dict.fromkeys(pooling for cells in found for pooling in cells.pooling))
    names = drawn_names([cells.encoder for cells in found], longest=28)
    marks, sentences = {}, []
    for column, cells in enumerate(found):
        frame = cells.frame
        said = []
        for row, (score, label) in enumerate(ROWS):
            axes = grid[row, column]
            for place, pooling in enumerate(poolings):
                part = frame[frame["pooling"] == pooling].dropna(subset=[score])
                if part.empty:
                    continue
                colour = CYCLE[place % len(CYCLE)]
                values = part[score].to_numpy(dtype=float)
                depths = part["depth"].to_numpy(dtype=float)
                marks[f"{pooling} pooling"] = axes.plot(depths, values, "o-", ms=2.6, lw=1.4, color=colour)[0]
                peak = int(np.argmin(values) if score == LOWEST else np.argmax(values))
                axes.plot(depths[peak], values[peak], "o", ms=9, mfc="none", mec=INK, mew=1.3, zorder=6)
                said.append(
                    f"{score} {pooling} {'least' if score == LOWEST else 'greatest'} at layer "
                    f"{part['layer'].iloc[peak]} ({decimal(values[peak])})"
                )
                if score == "fisher_j":
                    axes.plot(depths, part["fisher_j_permuted"], color=colour, lw=1.1, ls=(0, (3, 2)))
            if score == "auc":
                axes.set_xlabel("depth (layer / number of layers)")
            if column == 0:
                axes.set_ylabel(label)
        grid[0, column].set_title(names.names[column])
        sentences.append(f"{cells.encoder}: {'; '.join(said)}.")
    marks["J, labels shuffled"] = grid[0, 0].plot([], [], color=GREY, lw=1.1, ls=(0, (3, 2)))[0]
    marks["peak"] = grid[0, 0].plot([], [], "o", ms=8, mfc="none", mec=INK, mew=1.3)[0]
    figure.align_ylabels(list(grid[:, 0]))
    name_legend(figure, list(marks.values()), list(marks), 4 if len(found) > 1 else 2)
    caption = (
        "On training rows. The AUC is that of a cross-validated logistic regression on as many PCA components as J "
        "has. Rings: the greatest value of a line, of anisotropy the least. Layer 0 of the last token is the same for "
        "every query under a chat template: it has no J and no d_eff."
    )
    return Drawing(
        "profiles", figure, "Geometry over depth", " ".join(sentences), caption, stands_for=names.stands_for
    )


def findings_drawing(rows: Sequence[tuple[str, Sequence[Difference]]], metrics: Sequence[Metric]) -> Drawing:
    """Draw paired differences, one row per question and one panel per metric; inside ``styled()``."""
    figure = new_figure(13.5, 1.0 + 0.34 * len(rows))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    drawn = drawn_names([name for name, _ in rows], longest=64)
    for place, (_, differences) in enumerate(rows):
        for axes, metric, found in zip(panels, metrics, differences, strict=True):
            colour = COLOURS[found.favours(metric)]
            if found.low is not None and found.high is not None:
                axes.plot([found.low, found.high], [place, place], color=colour, lw=1.8)
            if found.value is not None and math.isfinite(found.value):
                axes.plot(found.value, place, "o", color=colour, ms=5.5, zorder=3)
    for axes, metric in zip(panels, metrics, strict=True):
        axes.axvline(0, color=GREY, lw=1, zorder=1)
        axes.set_title(heading(metric), fontsize=9.5)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(labelsize=8)
    panels[0].set_yticks(range(len(rows)), drawn.names)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    said = (
        f"{name}: {metrics[0].words} {decimal(differences[0].value, 4)} "
        f"[{decimal(differences[0].low, 4)}, {decimal(differences[0].high, 4)}]"
        for name, differences in rows
    )
    caption = (
        "The first named minus the second, with 95 % intervals over the same resamples of the test queries. Blue: the "
        "interval excludes 0 in favour of the first; vermillion: of the second; grey: it contains 0."
    )
    return Drawing(
        "findings", figure, "Section 7 as trained runs", f"{'; '.join(said)}.", caption,
        stands_for=drawn.stands_for,
    )  # fmt: skip
