"""Layer profiles of a pool's runs side by side: mean AUC over relative depth, one line per encoder and pooling."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.layer_profile import best_dimension
from prefillroute.reports.numbers import decimal
from prefillroute.reports.style import GREY, SHARE_COLOURS

STYLES = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
"""Line styles of the poolings."""


def mean_profile(layers: pd.DataFrame) -> pd.Series:
    """AUC by (encoder, pooling, layer), mean over targets, at each layer's best PCA dimension.

    Args:
        layers: the columns of layers.parquet.
    """
    parts = {
        key: best_dimension(part, "auc")
        for key, part in layers.dropna(subset=["auc"]).groupby(["encoder", "pooling"], sort=False)
    }
    if not parts:
        return pd.Series(dtype=float)
    return pd.concat(parts, names=["encoder", "pooling", "layer"])


def profiles_drawing(name: str, profiles: Sequence[pd.Series], depths: dict[str, int]) -> Drawing | None:
    """Draw the profiles of several runs; runs of the same encoder and pooling are averaged layer by layer.

    Args:
        name: of the drawing.
        profiles: one per run, from `mean_profile`.
        depths: number of layers L of each encoder; the greatest layer scored where it is not known.

    Returns:
        None if no layer has a score.
    """
    scored = [profile for profile in profiles if len(profile)]
    if not scored:
        return None
    mean = pd.concat(scored).groupby(level=["encoder", "pooling", "layer"], sort=False).mean()
    encoders = list(dict.fromkeys(mean.index.get_level_values("encoder")))
    poolings = list(dict.fromkeys(mean.index.get_level_values("pooling")))
    drawn = drawn_names(encoders)
    figure = new_figure(9.0, 4.4)
    axes = figure.add_subplot()
    handles, names, said = [], [], []
    for (encoder, pooling), part in mean.groupby(level=["encoder", "pooling"], sort=False):
        line = part.droplevel(["encoder", "pooling"]).sort_index()
        depth = line.index.to_numpy(float) / max(depths.get(encoder, 0) or line.index.max(), 1)
        place = encoders.index(encoder)
        colour = SHARE_COLOURS[place % len(SHARE_COLOURS)]
        handles += axes.plot(depth, line, color=colour, ls=STYLES[poolings.index(pooling) % len(STYLES)])
        axes.plot(depth, line, "o", color=colour, ms=3)
        names.append(f"{drawn.names[place]}, {pooling} pooling")
        top = int(np.argmax(line))
        said.append(
            f"{encoder}, {pooling} pooling: greatest AUC {decimal(line.iloc[top])} at layer {line.index[top]}."
        )
    low, high = axes.get_ylim()
    if low <= 0.5 <= high:
        axes.axhline(0.5, color=GREY, lw=1, ls=(0, (4, 2)))
    axes.set_xlabel("depth (layer / number of layers)")
    axes.set_ylabel("cross-validated AUC, mean over targets")
    name_legend(figure, handles, names, columns=2)
    caption = (
        "AUC is cross-validated on the training part, at each layer's best PCA dimension, and averaged over targets "
        "and over the runs that read this encoder with this pooling."
    )
    return Drawing(name, figure, "Layer profiles", " ".join(said), caption, stands_for=drawn.stands_for)
