"""Read files with an importer, and look up single outcomes."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given


@pytest.fixture
def collected() -> Callable[..., tuple[Collector, pd.DataFrame, pd.DataFrame]]:
    """`collected(reader, path, **options)`: the collector and its two tables."""

    def collect(reader, path: Path, **options: object) -> tuple[Collector, pd.DataFrame, pd.DataFrame]:
        collector = Collector()
        reader.read(Given.at([path], reader.find), collector, _quiet, **options)
        return collector, *collector.frames()

    return collect


@pytest.fixture
def cells() -> Callable[..., dict[tuple[str, str], float]]:
    """`cells(outcomes, measure="correct")`: (query_id, target) to its value."""

    def look_up(outcomes: pd.DataFrame, measure: str = "correct") -> dict[tuple[str, str], float]:
        return outcomes.set_index(["query_id", "target"])[measure].to_dict()

    return look_up


def _quiet(size: int) -> None:
    assert size >= 0
