"""What the command line is told of an importer, without importing what does its work."""

from dataclasses import dataclass

from prefillroute.outcomes.importers import layouts
from prefillroute.variants import modules_of


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

    @property
    def default(self) -> str | list[str] | None:
        """Its value when it is not given."""
        if self.many:
            return []
        return None if self.choices is None else self.choices[0]


@dataclass(frozen=True)
class Layout:
    """A layout in which outcomes may lie. Each is the `LAYOUT` of a module of `importers.layouts`, which names it."""

    what: str
    """It is, as the help says it."""
    details: str
    """Which fields are read, for its own help."""
    reader: str
    """Module of this room with `find` and `read`, see `contract.Importer`."""
    folder: str | None = None
    """Below the data folder, where its outcomes go by default; None for a user's own data."""
    options: tuple[Option, ...] = ()


def known_layouts() -> dict[str, Layout]:
    """Every layout by its name on the command line: that of its module, with dashes.

    Example:
        >>> known_layouts()["mmlu-pro"].folder
        'mmlu_pro'
    """
    return {
        module.__name__.rpartition(".")[2].replace("_", "-"): module.LAYOUT for module in modules_of(layouts)
    }
