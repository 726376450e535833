"""Replaces the commands named in a cache's messages by commands with this run's own facts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from prefillroute.config.filling import filling_commands
from prefillroute.text import hints

GROUPS = {command: group for group, command in filling_commands().items()}
"""Command -> the group of its model."""
_NAMED = re.compile(
    rf"prefillroute ({'|'.join(GROUPS)}) \S+=\S+ pool=\S*[^\s,;](?: (encoder\.prompt_format=plain))?"
)


def with_own_facts(message: str, words: Mapping[str, Sequence[str]]) -> str:
    """The message with this run's overrides in the commands that fill caches.

    A cache knows the name of its model but no pool; only the command line knows how both were chosen.

    Args:
        message: message of an error.
        words: command, one of `GROUPS`, -> its overrides.
    """

    def own(found: re.Match[str]) -> str:
        said = words[found[1]]
        form = [found[2]] if found[2] and found[2] not in said else []
        return hints.command("prefillroute", found[1], *said, *form)

    return _NAMED.sub(own, message)


def run_words(hydra: Any) -> dict[str, list[str]]:
    """A run's facts as overrides for the commands that fill its caches.

    Args:
        hydra: Hydra's own record of the run: chosen options, and overrides.
    """
    choices = hydra.runtime.choices
    overrides = OmegaConf.to_container(hydra.overrides.task, resolve=False)  # as typed, `\\${` and all
    assert isinstance(overrides, list)
    words = {}
    for command, group in GROUPS.items():
        facts = (f"{group}.", "pool.", "paths.")
        options = [f"{name}={choices[name]}" for name in (group, "pool") if choices.get(name)]
        words[command] = [*options, *(text for text in overrides if text.lstrip("+~").startswith(facts))]
    return words
