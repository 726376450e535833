"""AUC and Fisher J over the encoder's depth, per pooling, with the chosen layers marked."""

from collections.abc import Mapping, Sequence, Set

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import decimal, joined
from prefillroute.reports.style import CYCLE, GREY, INK

ChosenBlock = tuple[str, int, str]
"""Encoder, layer and pooling of a feature block that the run uses."""


def layer_profile_drawing(
    layers: pd.DataFrame, chosen: Sequence[ChosenBlock], depths: Mapping[str, int] | None = None
) -> Drawing | None:
    """Draw one row of two panels per encoder; return None if neither score was computed for any layer.

    AUC is the mean over targets at the best PCA dimension of each layer (the strong line) and at the other dimensions
    (faint). Fisher J is the mean over targets. Encoders of different depths share an axis of relative depth.

    Args:
        layers: the columns of layers.parquet.
        chosen: the feature blocks that are marked.
        depths: number of layers L of each encoder; if None, the axis shows layers.
    """
    scored = layers.dropna(subset=["auc", "fisher_j"], how="all")
    if scored.empty:
        return None
    encoders = list(dict.fromkeys(scored["encoder"]))
    panels = [(name, label) for name, label in _PANELS if scored[name].notna().any()]
    figure = new_figure(4.6 * len(panels) + (0.4 if len(panels) == 1 else 0), 3.5 * len(encoders) + 0.4)
    depths = {encoder: depth for encoder, depth in (depths or {}).items() if encoder in encoders}
    relative = len(depths) == len(encoders) and len(set(depths.values())) > 1
    grid = figure.subplots(len(encoders), len(panels), squeeze=False, sharex=relative)
    poolings = list(dict.fromkeys(scored["pooling"]))
    sentences = []
    drawn = drawn_names(encoders, longest=60)
    for row, encoder in enumerate(encoders):
        part = scored[scored["encoder"] == encoder]
        blocks = {(layer, pooling) for name, layer, pooling in chosen if name == encoder}
        for column, (score, label) in enumerate(panels):
            axes = grid[row, column]
            _panel(axes, part, score, poolings, blocks, depths[encoder] if relative else None)
            axes.set_title(drawn.names[row] if len(encoders) > 1 else label)
            axes.set_ylabel(label if len(encoders) > 1 else "")
            axes.set_xlabel("depth (layer / number of layers)" if relative else "layer")
        sentences.append(_sentence(_reader(encoder, scored), part, blocks))
    if len(encoders) > 1:
        sentences += _comparison(scored)
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


def best_dimension(rows: pd.DataFrame, score: str) -> pd.Series:
    """A score by layer, mean over targets, at the PCA dimension at which this mean is greatest."""
    return rows.groupby(["dim", "layer"])[score].mean().dropna().groupby("layer").max()


_PANELS = (("auc", "cross-validated AUC, mean over targets"), ("fisher_j", "Fisher J, mean over targets"))


def _panel(
    axes: Axes,
    part: pd.DataFrame,
    score: str,
    poolings: list[str],
    blocks: Set[tuple[float, str]],
    depth: int | None,
) -> None:
    """Draw one score over layers, or over shares of `depth`, with a line per pooling and rings around chosen layers."""
    if depth is not None:
        part = part.assign(layer=part["layer"] / depth)
        blocks = {(layer / depth, pooling) for layer, pooling in blocks}
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
        best = best_dimension(rows, score)
        style = "o-" if len(best) <= 40 else "-"
        axes.plot(best.index, best, style, ms=3, color=colour, label=f"{pooling} pooling")
        marked = [layer for layer, name in sorted(blocks) if name == pooling and layer in best.index]
        axes.plot(marked, best.loc[marked], "o", ms=9, mfc="none", mec=INK, mew=1.4, zorder=6)
    if score == "fisher_j" and "fisher_j_permuted" in part:
        chance = part.groupby("layer")["fisher_j_permuted"].mean().dropna()
        axes.plot(chance.index, chance, color=GREY, lw=1.2, ls=(0, (4, 2)), label="labels shuffled")
    axes.xaxis.set_major_locator(MaxNLocator(integer=depth is None))
    if score == "auc":
        low, high = axes.get_ylim()
        if low <= 0.5 <= high:
            axes.axhline(0.5, color=GREY, lw=1, ls=(0, (4, 2)))


def _reader(encoder: str, scored: pd.DataFrame) -> str:
    """The encoder's name, with the targets that it was scored for unless these are all of them."""
    targets = scored.loc[scored["encoder"] == encoder, "target"].unique()
    if len(targets) == scored["target"].nunique():
        return encoder
    return f"{encoder} (for {joined([str(target) for target in targets])})"


def _comparison(scored: pd.DataFrame) -> list[str]:
    """The encoder and block with the greatest mean score; empty if the encoders were scored for different targets."""
    if (scored.groupby("encoder")["target"].nunique() < scored["target"].nunique()).any():
        return []
    score, word = _leading(scored)
    best = scored.groupby(["encoder", "layer", "pooling", "dim"], sort=False)[score].mean().dropna()
    encoder, layer, pooling, dim = best.index[int(best.argmax())]
    return [
        f"The best block over all encoders is layer {layer} {pooling} of {encoder} with {dim} dimensions, "
        f"mean {word} {decimal(best.max())}."
    ]


def _leading(part: pd.DataFrame) -> tuple[str, str]:
    """The column that the sentences are about, and its name in words."""
    return ("auc", "AUC") if part["auc"].notna().any() else ("fisher_j", "Fisher J")


def _sentence(encoder: str, part: pd.DataFrame, blocks: set[tuple[int, str]]) -> str:
    """Describe a panel in words: first the best layer per pooling, then the chosen layers."""
    score, word = _leading(part)
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
