"""Vega-Lite charts that W&B has not: they are stored once per entity, and reports refer to them by name."""

from typing import Any

import wandb

from prefillroute.config.guard import one_line

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
HEAT_MAP = "prefillroute-heat-map-1"
PROFILES = "prefillroute-layer-profiles-1"
"""The number at the end grows with each change of a chart, because stored charts are not overwritten."""


def heat_map() -> dict[str, Any]:
    """Mean of a number for each row and column, written into cells that are coloured by it."""
    place = {
        "y": {"field": "${field:row}", "type": "nominal", "title": None},
        "x": {"field": "${field:column}", "type": "nominal", "title": None, "axis": {"labelAngle": -40}},
    }
    value = {"field": "${field:value}", "type": "quantitative", "aggregate": "mean"}
    return {
        "$schema": SCHEMA,
        "title": "${string:title}",
        "data": {"name": "wandb"},
        "encoding": place,
        "layer": [
            {"mark": "rect", "encoding": {"color": {**value, "scale": {"scheme": "viridis"}, "title": None}}},
            {
                "mark": {"type": "text", "color": "white", "stroke": "black", "strokeWidth": 0.3},
                "encoding": {"text": {**value, "format": ".3f"}},
            },
        ],
    }


def profiles() -> dict[str, Any]:
    """A line over the layers for each run and each kind of reading; W&B adds the run's `name` to each row."""
    return {
        "$schema": SCHEMA,
        "title": "${string:title}",
        "data": {"name": "wandb"},
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {"field": "${field:layer}", "type": "quantitative", "title": "layer"},
            "y": {"field": "${field:value}", "type": "quantitative", "scale": {"zero": False}, "title": None},
            "color": {"field": "name", "type": "nominal", "title": "run"},
            "strokeDash": {"field": "${field:line}", "type": "nominal", "title": None},
        },
    }


def store_charts(api: wandb.Api, entity: str) -> dict[str, str]:
    """Store the charts for an entity, unless it has them.

    Returns:
        What W&B said about each chart that it did not store; also that there is one of this name.
    """
    refused = {}
    for name, title, spec in (
        (HEAT_MAP, "prefillroute: heat map", heat_map()),
        (PROFILES, "prefillroute: layer profiles", profiles()),
    ):
        try:
            api.create_custom_chart(entity, name, title, "vega2", "private", spec)
        except Exception as error:  # the client raises errors of many kinds
            refused[name] = one_line(error)
    return refused
