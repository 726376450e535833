"""Where option files are looked for: those that ship with the package, and `conf/` of the current folder."""

import re
from pathlib import Path

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
