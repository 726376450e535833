"""AUC and Fisher J over the encoder's depth, per pooling, with the chosen layers marked."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import decimal
from prefillroute.reports.style import CYCLE, GREY, INK

ChosenBlock = tuple[str, int, str]
"""Encoder, layer, pooling of a feature block the run uses."""


def layer_profile_drawing(layers: pd.DataFrame, chosen: Sequence[ChosenBlock]) -> Drawing | None:
    """Draw one row per encoder with two panels; None when neither score was computed for any layer.

    ``layers`` has the columns of layers.parquet. AUC: mean over targets at the best PCA
    dimension of each layer (the strong line) and the other dimensions (faint). Fisher J: mean over targets.
    """
    scored = layers.dropna(subset=["auc", "fisher_j"], how="all")
    if scored.empty:
        return None
    encoders = list(dict.fromkeys(scored["encoder"]))
    panels = [(name, label) for name, label in _PANELS if scored[name].notna().any()]
    figure = new_figure(4.6 * len(panels) + (0.4 if len(panels) == 1 else 0), 3.5 * len(encoders) + 0.4)
    grid = figure.subplots(len(encoders), len(panels), squeeze=False)
    poolings = list(dict.fromkeys(scored["pooling"]))
    sentences = []
    drawn = drawn_names(encoders, longest=60)
    for row, encoder in enumerate(encoders):
        part = scored[scored["encoder"] == encoder]
        blocks = {(layer, pooling) for name, layer, pooling in chosen if name == encoder}
        for column, (score, label) in enumerate(panels):
            axes = grid[row, column]
            _panel(axes, part, score, poolings, blocks)
            axes.set_title(drawn.names[row] if len(encoders) > 1 else label)
            axes.set_ylabel(label if len(encoders) > 1 else "")
            axes.set_xlabel("layer")
        sentences.append(_sentence(encoder, part, blocks))
    if chosen:
        grid[0, 0].plot([], [], "o", ms=8, mfc="none", mec=INK, mew=1.4, label="chosen")
    entries = {
        name: mark for axes in grid.flat for mark, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=max(len(entries), 1)
    )
    caption = (
        "AUC is cross-validated on the training part; the strong line takes each layer's best PCA dimension, "
    )
    caption += "faint lines the others. Fisher J grows with dimension, so it is computed at one only."
    return Drawing(
        "layers", figure, "Layer profile", " ".join(sentences), caption, stands_for=drawn.stands_for
    )


_PANELS = (("auc", "cross-validated AUC, mean over targets"), ("fisher_j", "Fisher J, mean over targets"))


def _panel(
    axes: Axes, part: pd.DataFrame, score: str, poolings: list[str], blocks: set[tuple[int, str]]
) -> None:
    """One score over depth: a line per pooling, rings round the chosen layers."""
    for index, pooling in enumerate(poolings):
        colour = CYCLE[index % len(CYCLE)]
        rows = part[part["pooling"] == pooling]
        mean = rows.groupby(["dim", "layer"])[score].mean().dropna()
        if mean.empty:
            continue
        dims = mean.index.get_level_values("dim").unique()
        if score == "auc" and len(dims) > 1:
            for dim in dims:
                line = mean.loc[dim]
                axes.plot(line.index, line, color=colour, lw=0.8, alpha=0.35)
        best = mean.groupby("layer").max()
        style = "o-" if len(best) <= 40 else "-"
        axes.plot(best.index, best, style, ms=3, color=colour, label=f"{pooling} pooling")
        marked = [layer for layer, name in blocks if name == pooling and layer in best.index]
        axes.plot(marked, best.loc[marked], "o", ms=9, mfc="none", mec=INK, mew=1.4, zorder=6)
    if score == "fisher_j" and "fisher_j_permuted" in part:
        chance = part.groupby("layer")["fisher_j_permuted"].mean().dropna()
        axes.plot(chance.index, chance, color=GREY, lw=1.2, ls=(0, (4, 2)), label="labels shuffled")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if score == "auc":
        low, high = axes.get_ylim()
        if low <= 0.5 <= high:
            axes.axhline(0.5, color=GREY, lw=1, ls=(0, (4, 2)))


def _sentence(encoder: str, part: pd.DataFrame, blocks: set[tuple[int, str]]) -> str:
    """The panel in words: best layer per pooling, then what was chosen."""
    score = "auc" if part["auc"].notna().any() else "fisher_j"
    word = "AUC" if score == "auc" else "Fisher J"
    said = []
    for pooling in part["pooling"].unique():
        rows = part[part["pooling"] == pooling]
        best = rows.groupby(["layer", "dim"])[score].mean().dropna()
        if len(best):
            layer, dim = best.index[int(best.argmax())]
            said.append(
                f"{pooling} pooling peaks at layer {layer} with {dim} dimensions, "
                f"mean {word} {decimal(best.max())}"
            )
    text = f"{encoder}: {'; '.join(said)}."
    if blocks:
        text += f" Chosen: {', '.join(f'layer {layer} {pooling}' for layer, pooling in sorted(blocks))}."
    return text
