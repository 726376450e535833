"""The reliability diagram: how often each confidence proves right, for all targets together and for each target."""

import numpy as np

from prefillroute.reports.drawing import Drawing, new_figure
from prefillroute.reports.numbers import count, decimal
from prefillroute.reports.run_folder import TestPart
from prefillroute.reports.style import BLUE, GREY, INK, MUTED

_NUM_BINS = 15
"""The same number of bins as the ECE has (DESIGN section 4)."""
_FEWEST = 20
"""A bin of one target with fewer outcomes than this is mostly noise and is not drawn."""


def reliability_drawing(targets: tuple[str, ...], test: TestPart) -> Drawing:
    """Draw mean outcome against mean confidence in 15 equal-width bins, and the distribution of confidences below."""
    figure = new_figure(6.2, 6.0)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    tooltips = {}
    upper.plot([0, 1], [0, 1], color=GREY, lw=1, ls=(0, (4, 2)), label="perfectly calibrated")
    for index, name in enumerate(targets):
        confidence, outcome, size = binned(test.confidence[:, index], test.correct[:, index])
        shown = size >= _FEWEST
        gid = f"reliability-{index}"
        tooltips[gid] = name
        label = "one target" if index == 0 else None
        upper.plot(confidence[shown], outcome[shown], color=GREY, lw=0.8, alpha=0.55, gid=gid, label=label)
    confidence, outcome, size = binned(test.confidence, test.correct)
    shown = size > 0
    upper.plot(confidence[shown], outcome[shown], "o-", color=BLUE, ms=5, label="all targets", zorder=5)
    upper.set_ylabel("share answered correctly")
    upper.set_ylim(-0.02, 1.02)
    upper.set_xlim(-0.02, 1.02)
    upper.legend(loc="upper left")
    edges = np.linspace(0, 1, _NUM_BINS + 1)
    total = size.sum()
    lower.bar(
        edges[:-1], size / max(total, 1), width=1 / _NUM_BINS * 0.92, align="edge", color=BLUE, alpha=0.75
    )
    lower.set_ylabel("share of\nconfidences", color=MUTED)
    lower.set_xlabel("confidence (calibrated probability of a correct answer)", color=INK)
    gap = float(np.nansum(np.abs(confidence - outcome) * size) / max(total, 1))
    extremes = f"between {decimal(np.nanmin(test.confidence))} and {decimal(np.nanmax(test.confidence))}"
    alt = (
        f"Reliability over {count(total)} test outcomes of {len(targets)} target{'s' * (len(targets) > 1)} "
        f"in {_NUM_BINS} bins: "
        f"the mean gap between confidence and share correct is {decimal(gap)} over all targets pooled; "
        f"confidences lie {extremes}."
    )
    caption = f"Grey lines are single targets (bins with at least {_FEWEST} outcomes); "
    caption += "rest the pointer on one to see its name."
    return Drawing("reliability", figure, "Reliability", alt, caption, tooltips)


def binned(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, mean outcome and size of each bin, without missing outcomes; empty bins have NaN."""
    seen = ~np.isnan(correct)
    p, y = confidence[seen], correct[seen]
    index = np.minimum((p * _NUM_BINS).astype(int), _NUM_BINS - 1)
    size = np.bincount(index, minlength=_NUM_BINS).astype(float)
    divisor = np.where(size > 0, size, np.nan)
    means = [np.bincount(index, weights=v, minlength=_NUM_BINS) / divisor for v in (p, y)]
    return means[0], means[1], size
