"""Where option files are looked for: those that ship with the package, and `conf/` of the current folder."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from prefillroute.errors import UserError

log = logging.getLogger(__name__)

LOCAL = "conf"
"""Folder for a user's own pools, encoders and experiments, in the folder where the command is run."""


def conf_dir() -> Path:
    """The folder of group files: of the checkout when there is one, else as installed with the package."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "conf"
    return checkout if (checkout / "config.yaml").is_file() else package / "conf"


def conf_folders() -> list[Path]:
    """Folders of group files; where two have the same file, the first one's is read.

    As with Hydra's own `--config-dir`, what ships comes first, so that its names mean the same everywhere. Only a
    whole copy of our `conf/`, root files included, takes its place.
    """
    shipped = conf_dir()
    local = Path(LOCAL).absolute()
    if not local.is_dir() or local.samefile(shipped):
        return [shipped]
    return [local, shipped] if _is_whole(local) else [shipped, local]


def _is_whole(folder: Path) -> bool:
    """Whether a folder has our root file; another project's `conf/config.yaml` is not one."""
    try:
        text = (folder / "config.yaml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"^\s*-\s*run_schema\b", text, re.M) is not None


def is_group(override: str) -> bool:
    """Whether an override chooses an option: its key is a folder of option files."""
    group = override.partition("=")[0].lstrip("+").partition("@")[0]
    return bool(group) and any((folder / group).is_dir() for folder in conf_folders())


class LocalFolder(SearchPathPlugin):
    """Adds the other folders of :func:`conf_folders` to Hydra's search path behind the first one."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra while it sets up; a folder that a caller chose himself stays alone."""
        folders = [str(folder) for folder in conf_folders()]
        used = [str(element.path).removeprefix("file://") for element in search_path.get_path()]
        if folders[0] in used:
            for folder in folders[1:]:
                search_path.append("prefillroute", f"file://{folder}")


def register_search_path() -> None:
    """Make the folder known to Hydra. Idempotent."""
    Plugins.instance().register(LocalFolder)


def check_unread(overrides: Sequence[str], choices: Mapping[str, Any]) -> None:
    """Say which chosen options are not read from `conf/` of the current folder, since their names are taken.

    Args:
        overrides: of the command line; an option named there is an error, another one a warning in the log.
        choices: group -> option, as Hydra composed them.

    Raises:
        UserError: naming the file.
    """
    shipped, *others = conf_folders()
    named = {text.lstrip("+").partition("=")[0].partition("@")[0] for text in overrides}
    for key, option in choices.items():
        group = key.partition("@")[0]
        for folder in others:
            own = folder / group / f"{option}.yaml"
            if folder == conf_dir() or not own.is_file() or not (shipped / group / own.name).is_file():
                continue
            if own.read_bytes() == (shipped / group / own.name).read_bytes():
                continue
            line = f"{LOCAL}/{group}/{own.name}: the name '{option}' is taken by an option that ships with prefillroute"
            if group in named:
                raise UserError(f"{line}; rename the file, for instance to {LOCAL}/{group}/my_{own.name}")
            log.warning("%s, which is read instead", line)
