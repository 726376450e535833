"""Makes the folders of option files known to Hydra, and says which files it does not read."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from prefillroute.config.folders import LOCAL, conf_dir, conf_folders
from prefillroute.errors import UserError

log = logging.getLogger(__name__)


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
    """Register the search path with Hydra, and put files before what plugins bring. Idempotent."""
    Plugins.instance().register(LocalFolder)
    _prefer_files()


def _prefer_files() -> None:
    """Take options of plugins out of Hydra's store whose names our files have.

    Hydra would take them for schemas of these files, and refuses that for some (a file `hydra/sweeper/optuna.yaml`
    beside the option that Optuna's sweeper brings).
    """
    for folder in conf_folders():
        for file in (folder / "hydra").rglob("*.yaml"):
            node: Any = ConfigStore.instance().repo
            for name in file.relative_to(folder).parent.parts:
                node = node.get(name, {})
            node.pop(file.name, None)


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
