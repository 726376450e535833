"""How far each rewording moves confidences and choices."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.paper.rewording.measured import Shift
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.numbers import decimal, percent
from prefillroute.reports.style import CYCLE, GREY


def shifts_drawing(pool: str, shifts: Mapping[str, Sequence[Shift]]) -> Drawing:
    """Draw the change of confidences, and the share of queries that change their target; inside ``styled()``."""
    names = list(dict.fromkeys(each.name for found in shifts.values() for each in found))
    figure = new_figure(10.0, 1.5 + 0.36 * len(names))
    left, right = figure.subplots(1, 2, sharey=True)
    said, handles = [], []
    offsets = np.linspace(-0.16, 0.16, len(shifts)) if len(shifts) > 1 else [0.0]
    for offset, colour, (encoder, found) in zip(offsets, CYCLE, shifts.items(), strict=False):
        place = np.array([names.index(each.name) for each in found]) + offset
        mean, most = ([getattr(each, key) for each in found] for key in ("mean", "most"))
        left.hlines(place, mean, most, color=colour, lw=1.6)
        handles += left.plot(mean, place, "o", color=colour, ms=5)
        left.plot(most, place, "|", color=colour, ms=8, mew=1.6)
        share = [100 * each.moved_lambda0 for each in found]
        chosen = [100 * each.moved_chosen for each in found]
        right.hlines(place, share, chosen, color=GREY, lw=0.8)
        right.plot(share, place, "o", color=colour, ms=5)
        right.plot(chosen, place, "o", mfc="none", mec=colour, ms=5)
        said += [
            f"{encoder}, {each.name}: {decimal(each.mean, 4)} on average, {percent(each.moved_lambda0)} move"
            for each in found
        ]
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    left.set_title("change of a confidence")
    right.set_title("queries that change their target (%)")
    for axes in (left, right):
        axes.set_xlim(left=-0.02 * axes.get_xlim()[1])  # markers at 0 are whole
    name_legend(figure, handles, list(shifts), max(len(shifts), 1))
    return Drawing(
        "robustness", figure, f"Rewording on {pool}", "; ".join(said) + ".",
        "Left: mean change, and its 95th percentile. Right: at λ = 0 (filled) and at the chosen λ (open).",
    )  # fmt: skip
