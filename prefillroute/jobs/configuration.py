"""The configuration that a job leaves in its folder, and whether it is still the one that its options stand for."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prefillroute.errors import UserError

CONFIGURATION = ".hydra"
NO_RESULT = ("paths", "logger", "threads")
"""Keys of a run's configuration that do not change its numbers."""
ABSENT = "absent"


def check_same_configuration(folder: Path, config: DictConfig) -> None:
    """Refuse results that a sweep would take for its own although an option file or a default has changed since.

    Args:
        folder: of a finished job.
        config: what a job with the same overrides would have now.

    Raises:
        UserError: names the first key that has another value.
    """
    try:
        there = OmegaConf.to_container(OmegaConf.load(folder / CONFIGURATION / "config.yaml"), resolve=False)
    except (OSError, YAMLError, OmegaConfBaseException):
        return  # nothing to compare with
    here = OmegaConf.to_container(config, resolve=False)
    assert isinstance(there, dict)
    assert isinstance(here, dict)
    then, now = (
        {key: value for key, value in each.items() if key not in NO_RESULT} for each in (there, here)
    )
    changed = first_difference(then, now)
    if changed is not None:
        key, old, new = changed
        raise UserError(
            f"{folder}: expected a job with the configuration of now, found one that finished with {key}={old} where "
            f"it is {new} now; take another hydra.sweep.dir, or delete the folder"
        )


def first_difference(there: Any, here: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first key with different values, with both; None where everything is equal.

    Example:
        >>> first_difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
        ('a.b', 1, 3)
        >>> first_difference({"a": 1}, {"a": 1, "d": 4})
        ('d', 'absent', 4)
    """
    if isinstance(there, dict) and isinstance(here, dict):
        for name in dict.fromkeys([*there, *here]):
            inner = f"{key}.{name}" if key else str(name)
            found = first_difference(there.get(name, ABSENT), here.get(name, ABSENT), inner)
            if found is not None:
                return found
        return None
    return None if there == here else (key, there, here)
