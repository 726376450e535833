"""Finds option files: those that ship with the package, and those in `conf/` of the current folder."""

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
"""Folder for a user's own pools, encoders and experiments, in the current folder."""


def conf_dir() -> Path:
    """The folder of group files: the checkout's if there is one, else the one installed with the package."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "conf"
    return checkout if (checkout / "config.yaml").is_file() else package / "conf"


def conf_folders() -> list[Path]:
    """Folders of group files; if two folders have the same file, the first folder's is read.

    As with Hydra's own `--config-dir`, the shipped folder comes first, so that its names mean the same everywhere. Only
    a complete copy of our `conf/`, including the root files, takes its place.
    """
    shipped = conf_dir()
    local = Path(LOCAL).absolute()
    if not local.is_dir() or local.samefile(shipped):
        return [shipped]
    return [local, shipped] if _is_whole(local) else [shipped, local]


def _is_whole(folder: Path) -> bool:
    """Whether a folder has our root file, as opposed to another project's `conf/config.yaml`."""
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
    """Adds the other folders of :func:`conf_folders` to Hydra's search path, after the first one."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the folders; Hydra calls this while it sets up. If the caller chose another folder, add nothing."""
        folders = [str(folder) for folder in conf_folders()]
        used = [str(element.path).removeprefix("file://") for element in search_path.get_path()]
        if folders[0] in used:
            for folder in folders[1:]:
                search_path.append("prefillroute", f"file://{folder}")


def register_search_path() -> None:
    """Register the search path with Hydra. Idempotent."""
    Plugins.instance().register(LocalFolder)


def check_unread(overrides: Sequence[str], choices: Mapping[str, Any]) -> None:
    """Report chosen options in the current folder's `conf/` that are not read because their names are taken.

    Args:
        overrides: the command line; an option named there is an error, any other is a warning in the log.
        choices: group -> option, as Hydra composed them.

    Raises:
        UserError: names the file.
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
            file = f"{LOCAL}/{group}/{own.name}"
            if group in named:
                raise UserError(
                    f"{file}: expected a new name, found '{option}', which is an option that ships with prefillroute; "
                    f"rename the file, for instance to {LOCAL}/{group}/my_{own.name}"
                )
            log.warning("%s is not read: prefillroute's own option '%s' is used instead", file, option)
