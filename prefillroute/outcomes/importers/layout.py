"""What the command line is told of an importer, without importing what does its work."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from prefillroute.outcomes.importers import layouts
from prefillroute.variants import modules_of

DATA_SETS = Path(__file__).parent / "public" / "data_sets"
"""One YAML per public data set: its shape, and the names of its files, columns and fields."""


@dataclass(frozen=True)
class Option:
    """An option that one layout has beside those of all; `read` of the importer takes it under the same name."""

    name: str
    """Without the dashes."""
    metavar: str | None
    help: str
    choices: tuple[str, ...] | None = None
    """What it may be; the first one is the default."""
    many: bool = False
    """Whether it may be given several times; `read` then takes a list."""
    is_flag: bool = False
    """Whether it takes no value; `read` then takes a truth value."""

    @property
    def argument(self) -> str:
        """Its name in Python."""
        return self.name.replace("-", "_")

    @property
    def default(self) -> str | list[str] | bool | None:
        """Its value when it is not given."""
        if self.many:
            return []
        if self.is_flag:
            return False
        return None if self.choices is None else self.choices[0]


@dataclass(frozen=True)
class Layout:
    """A layout in which outcomes may lie.

    Each is the `LAYOUT` of a module of `importers.layouts`, or a YAML of ``DATA_SETS``; the file's name is its name.
    """

    what: str
    """It is, as the help says it."""
    details: str
    """Which fields are read, for its own help."""
    reader: str
    """Module of this room with `find` and `read`, see `contract.Importer`."""
    folder: str | None = None
    """Below the data folder, where its outcomes go by default; None for a user's own data."""
    options: tuple[Option, ...] = ()
    names: Mapping[str, Any] | None = None
    """What its reader's `Shape` is made with; None where the reader module itself finds and reads."""


def known_layouts() -> dict[str, Layout]:
    """Every layout by its name on the command line: that of its module or YAML, with dashes.

    Example:
        >>> known_layouts()["mmlu-pro"].folder
        'mmlu_pro'
        >>> known_layouts()["sprout"].reader
        'public.model_columns'
    """
    found = {module.__name__.rpartition(".")[2]: module.LAYOUT for module in modules_of(layouts)}
    found |= {file.stem: public_layout(file) for file in sorted(DATA_SETS.glob("*.yaml"))}
    return {name.replace("_", "-"): found[name] for name in sorted(found)}


def public_layout(file: Path) -> Layout:
    """The layout that a YAML describes: what it is, where to get it, its licence, its shape, names and options."""
    facts = yaml.safe_load(file.read_text(encoding="utf-8"))
    details = f"{facts['details']}\nWhere:    {facts['source']}\nLicence:  {facts['licence']}\n"
    return Layout(
        what=facts["what"],
        details=details,
        reader=f"public.{facts['shape']}",
        options=tuple(Option(metavar=None, **option) for option in facts.get("options", ())),
        names=facts["names"],
    )
