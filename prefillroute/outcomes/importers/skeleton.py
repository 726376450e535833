"""The pool fact of an imported table, for a person to complete."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import yaml

from prefillroute.text.hints import no_interpolation
from prefillroute.text.visible import hidden

DATA_VARIABLE = "PREFILLROUTE_DATA"
SKELETON_FILE = "pool.yaml"


def data_folder() -> Path:
    """`paths.data`, as `conf/paths` has it: from the environment, or `data`."""
    return Path(os.environ.get(DATA_VARIABLE, "data"))


def pool_name(folder: Path) -> str:
    """Name of the pool whose outcomes lie in a folder."""
    return folder.resolve().name


def pool_skeleton(folder: Path, targets: Sequence[str], command: str, measures: Collection[str]) -> str:
    """Text of a `conf/pool/<name>.yaml` with the table's targets and prices still to be filled in.

    Args:
        folder: of the table; below `paths.data` it is named relative to that, else as it is given.
        targets: as in the outcome table.
        command: that made the table, as a shell reads it.
        measures: what the table knows of the calls, which decides what prices can do.
    """
    name = pool_name(folder)
    head = {
        "name": _Text(no_interpolation(name)),
        "outcomes": _Text(_outcomes(folder)),
        "import_hint": _Text(no_interpolation(command)),
    }
    prices = {"price_in": None, "price_out": None, "price_date": None}
    rows = [_yaml({"name": _Text(no_interpolation(target)), **prices}, flow=True) for target in targets]
    return (
        f"# Copy to conf/pool/{' '.join(name.split())}.yaml with prices (USD per 10^6 tokens); "
        f"{_what_null_means(measures)}\n"
        f"{_yaml(head, flow=False)}targets:\n{''.join(f'  - {row}' for row in rows)}"
    )


def _what_null_means(measures: Collection[str]) -> str:
    if "cost_usd" in measures:
        return "null takes the log's cost_usd."
    if "completion_tokens" in measures:
        return "the data has none, and no cost_usd."
    return "the data has none, no tokens and no cost_usd: a run needs a column cost_usd or completion_tokens as well."


def is_completed(file: Path) -> bool:
    """Whether a person has put a price into a skeleton, or made something else of it: it is not to be overwritten."""
    if not file.is_file():
        return False
    try:
        pool = yaml.safe_load(file.read_text(encoding="utf-8"))
        targets = pool["targets"]
        return any(
            target[key] is not None for target in targets for key in ("price_in", "price_out", "price_date")
        )
    except (yaml.YAMLError, ValueError, TypeError, KeyError):
        return True


def _outcomes(folder: Path) -> str:
    try:
        relative = folder.resolve().relative_to(data_folder().resolve())
    except ValueError:
        return no_interpolation(str(folder))
    return "${paths.data}" + "".join(f"/{no_interpolation(part)}" for part in relative.parts)


def _yaml(entries: Mapping[str, object], flow: bool) -> str:
    return yaml.dump(
        dict(entries),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
        default_flow_style=flow,
    )


class _Text(str):
    """A value that is quoted: `2024`, `on`, `1e3` and `null` are names here."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """PyYAML's, which quotes every ``_Text``."""


def _represent(dumper: yaml.SafeDumper, text: _Text) -> yaml.ScalarNode:
    # Single quotes would fold a character that YAML takes for the end of a line.
    style = '"' if any(map(hidden, text)) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Dumper.add_representer(_Text, _represent)
