"""Finds option files: those that ship with the package, and those in `conf/` of the current folder."""

import re
from pathlib import Path

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
