"""Read a public data set's files by its layout, and write them as its owners do."""

import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from prefillroute.outcomes import importers
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given, importer_of
from prefillroute.outcomes.importers.layout import known_layouts


@pytest.fixture(scope="session")
def imported() -> Callable[..., tuple[Collector, pd.DataFrame, pd.DataFrame]]:
    """`imported(layout, path, **options)`: the collector and its two tables."""

    def read(name: str, path: Path, **options: object) -> tuple[Collector, pd.DataFrame, pd.DataFrame]:
        layout = known_layouts()[name]
        reader = importer_of(layout, importlib.import_module(f"{importers.__name__}.{layout.reader}"))
        collector = Collector()
        reader.read(Given.at([path], reader.find), collector, lambda size: None, **options)
        return collector, *collector.frames()

    return read


@pytest.fixture
def lines() -> Callable[[Path, Iterable[Mapping]], None]:
    """`lines(file, records)`: JSON lines, in a folder that is made."""

    def write(file: Path, records: Iterable[Mapping]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")

    return write
