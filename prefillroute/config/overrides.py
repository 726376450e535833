"""Handles overrides on the command line that Hydra would misread or could not read."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import ListConfig

from prefillroute.config.folders import is_group
from prefillroute.text.hints import hydra_quoted

PLAIN = re.compile(r"[\w.+-]+(,[\w.+-]+)*")
"""One name, or several separated by commas, without quotes or brackets."""


def name_options(overrides: Sequence[str]) -> list[str]:
    """Return the overrides with quotes around options that Hydra would read as a number, a boolean or null.

    A pool may be called `2024`, `1e3`, `null` or `true`. `pool=2024` names that option, because `pool` is a group.
    """
    return [_named(text) for text in overrides]


def _named(text: str) -> str:
    key, _, value = text.partition("=")
    if not PLAIN.fullmatch(value) or not is_group(text):
        return text
    names = value.split(",")
    return f"{key}={','.join(name if _is_text(name) else hydra_quoted(name) for name in names)}"


def _is_text(value: str) -> bool:
    return isinstance(OverridesParser.create().parse_override(f"key={value}").value(), str)


def explain_unread(override: str) -> str:
    """Say how to write an override that Hydra cannot parse so that it can."""
    key, equals, value = override.partition("=")
    if not equals or not re.fullmatch(r"[+~]{0,2}[\w./@:-]+", key):
        return f"{override}: expected KEY=VALUE"
    if value.startswith("="):
        return f"{override}: expected one '=', found more; write {key}={value.lstrip('=')}"
    if value.startswith("~/"):
        return f"{override}: expected a path, found '~', which is not replaced here; write {key}=$HOME{value[1:]}"
    if value.startswith("[") and value.endswith("]"):
        form = f"[{','.join(hydra_quoted(item.strip()) for item in value[1:-1].split(','))}]"
        what = "its entries"
    else:
        form, what = hydra_quoted(value), "the value"
    quoted = shlex.quote(f"{key}={form}")
    return f"{override}: expected a value in Hydra's syntax, found another; put {what} in quotes: {quoted}"


def explain_several(override: str, sweeps: bool, default: Any) -> str:
    """Say what several values for one key may have meant.

    Args:
        override: the override as typed.
        sweeps: whether the command takes `-m`.
        default: the key's value without this override, None if unknown; a list or a text can have been meant only if
            the default is one.
    """
    key, _, value = override.partition("=")
    ways = ["add -m for a sweep over them" if sweeps else "run the command once for each"]
    if isinstance(default, list | ListConfig):
        ways.append(f"{shlex.quote(f'{key}=[{value}]')} for a list")
    elif isinstance(default, str):
        ways.append(f"{shlex.quote(f'{key}={hydra_quoted(value)}')} for one text")
    return f"{override}: expected one value, found several; {', or '.join(ways)}"
