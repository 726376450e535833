"""Which targets get the queries: each target's share of the test queries over lambda."""

import numpy as np
from matplotlib.artist import Artist

from prefillroute.metrics.equal_costs import level_costs
from prefillroute.reports.choice import Chosen
from prefillroute.reports.drawing import Drawing, name_legend, new_figure
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.numbers import percent
from prefillroute.reports.operating import chosen_targets
from prefillroute.reports.run_folder import TestPart
from prefillroute.reports.style import GREY, INK, PAPER, SHARE_COLOURS

_GRID = 201
"""The values of lambda at which shares are drawn."""
_SMALLEST = 0.01
"""A target whose share is always smaller than this has no band of its own."""


def routing_shares_drawing(
    targets: tuple[str, ...], test: TestPart, cost_range: tuple[float, float], chosen: Chosen | None
) -> Drawing:
    """Draw stacked shares over lambda, from 0 (most confident) to 1 (cheapest); small shares are one grey band."""
    lambdas = np.linspace(0.0, 1.0, _GRID)
    shares = routing_shares(test, cost_range, lambdas)
    figure = new_figure(9.0, 4.4)
    axes = figure.add_subplot()
    shown = np.argsort(-shares.max(axis=0), kind="stable")[: len(SHARE_COLOURS)]
    shown = shown[shares[:, shown].max(axis=0) >= _SMALLEST]
    # The dearest target is at the bottom, so that the bands of dear targets grow upwards as lambda falls.
    shown = shown[np.argsort(-level_costs(test.cost_usd.mean(axis=0))[shown], kind="stable")]
    rest = shares.sum(axis=1) - shares[:, shown].sum(axis=1)
    bands = [shares[:, index] for index in shown]
    drawn = drawn_names(targets)
    names = [drawn.names[index] for index in shown]
    colours = list(SHARE_COLOURS[: len(shown)])
    num_rest = int((shares.max(axis=0) > 0).sum()) - len(shown)
    if num_rest:
        bands.append(rest)
        names.append(f"{num_rest} other target{'s' * (num_rest > 1)}")
        colours.append(GREY)
    handles: list[Artist] = list(
        axes.stackplot(lambdas, *bands, colors=colours, ec=PAPER, lw=0.6, alpha=0.92)
    )
    chosen_lambda = None if chosen is None else chosen.lambda_
    if chosen_lambda is not None and chosen is not None:
        handles.append(axes.axvline(chosen_lambda, color=INK, lw=1.6, ls=(0, (4, 2))))
        names.append(chosen.words)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("λ (0: highest confidence, 1: cheapest)")
    axes.set_ylabel("share of test queries")
    name_legend(figure, handles, names, columns=3)
    places = [("λ = 0", 0.0)] + ([("the chosen λ", chosen_lambda)] if chosen_lambda is not None else [])
    said = [
        _sentence(targets, routing_shares(test, cost_range, np.array([value]))[0], word)
        for word, value in places
    ]
    said.append(_sentence(targets, shares[-1], "λ = 1"))
    if chosen is not None and chosen.target is not None:
        said.append(f"No λ was chosen: every query to {chosen.target}.")
    alt = "Stacked shares of the test queries that each target gets, over λ. " + " ".join(said)
    caption = "Dearer targets lie lower in the stack."
    return Drawing(
        "routing_shares", figure, "Routing shares over λ", alt, caption, stands_for=drawn.stands_for
    )


def routing_shares(test: TestPart, cost_range: tuple[float, float], lambdas: np.ndarray) -> np.ndarray:
    """The share (L, M) of the test queries that goes to each target at each lambda."""
    num_queries, num_targets = test.confidence.shape
    rows = [
        np.bincount(chosen_targets(test, float(value), cost_range), minlength=num_targets)
        for value in lambdas
    ]
    return np.array(rows) / num_queries


def _sentence(targets: tuple[str, ...], share: np.ndarray, place: str) -> str:
    """Name the three largest shares at one lambda."""
    largest = [i for i in np.argsort(-share, kind="stable")[:3] if share[i] > 0]
    return f"At {place}: {', '.join(f'{targets[i]} {percent(share[i], 0)}' for i in largest)}."
