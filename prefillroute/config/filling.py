"""Which command fills the caches of which models: said by the root files of `conf/` and nowhere else."""

from functools import cache

import yaml

from prefillroute.config.folders import conf_dir

EXTRACTION = {"hydra/jobs": "extraction"}
"""What the defaults of such a root file have in common."""


@cache
def filling_commands() -> dict[str, str]:
    """Group of models to the command that fills their caches: the first group in the defaults of its root file.

    Example:
        >>> filling_commands()["embedder"]
        'embed'
    """
    commands = {}
    for path in sorted(conf_dir().glob("*.yaml")):
        defaults = yaml.safe_load(path.read_text("utf-8")).get("defaults", [])
        if EXTRACTION in defaults:
            group = next(name for entry in defaults if isinstance(entry, dict) for name in entry)
            commands[group] = path.stem
    return commands
