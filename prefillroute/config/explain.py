"""Turns errors of Hydra and OmegaConf into one line that names the allowed keys or options."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prefillroute.config import facts
from prefillroute.config.folders import conf_folders
from prefillroute.config.overrides import explain_several, explain_unread

COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError)
"""Raised during composition by a misspelt or mistyped configuration, or by a file that is not YAML."""

TYPES = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
"""OmegaConf's names of types, in words."""


def explain(error: BaseException, allowed: DictConfig | None, sweeps: bool = False) -> str:
    """Say in one line what is wrong in the configuration and what would be right.

    Args:
        error: one of ``COMPOSITION_ERRORS``.
        allowed: the same configuration without the overrides, whose keys are the allowed ones; None if the files
            themselves do not compose.
        sweeps: whether the command takes `-m`.
    """
    if isinstance(error, YAMLError):
        return no_yaml(error)
    if isinstance(error, UnicodeDecodeError):
        return _no_text(error)
    chain = _chain(error)
    for link in chain:
        if isinstance(link, OverrideParseException):
            return explain_unread(link.override)
    text = "\n".join(str(link) for link in chain)
    if found := re.search(
        r"(?:Ambiguous value for argument|Sweep parameters) '(.*?)'(?:\n1\.| requires)", text, re.S
    ):
        override = found.group(1)
        default = (
            None if allowed is None else OmegaConf.select(allowed, override.partition("=")[0].lstrip("+"))
        )
        return explain_several(override, sweeps, default)
    if found := re.search(r"Could not find '([^']+)'\n\nAvailable options in '([^']+)':\n(.*)", text, re.S):
        option, group, options = found.groups()
        options = options.split("Config search path")[0].split("\n\n")[0]
        names = ", ".join(line.strip() for line in options.splitlines() if line.strip())
        name = option.rsplit("/", 1)[-1]
        own = f"to add your own, write conf/{group}/NAME.yaml in the current folder"
        return f"{group}: expected an option among {names}, found '{name}'; {own}"
    # OmegaConf does not name the file of an override, nor the list in which a fact such as a target stands.
    if found := re.search(r"(?:In '([^']+)'.*)?Key '(\w+)' not in '(\w+)'.*full_key: (\S+)", text, re.S):
        file, key, form, full = found.groups()
        if is_dataclass(kind := getattr(facts, form, None)) and (file or key == full):
            names = ", ".join(field.name for field in fields(kind))
            return f"{f'conf/{file}.yaml' if file else form}: expected keys among {names}, found '{key}'"
    if found := re.search(r"Key '(\w+)' not in 'BasicLauncherConf'", text):
        return (
            f"hydra.launcher.{found.group(1)}: expected a launcher that has this setting, found Hydra's own, which "
            "runs one job after another; add hydra/launcher=local, slurm_cpu or slurm_gpu"
        )
    if allowed is None:
        return " ".join(text.split())
    if found := re.search(r"Could not override '([^'@]+)[^']*'\. No match in the defaults list", text):
        return f"configuration: expected groups or keys among {_keys(allowed, '')}, found '{found.group(1)}'"
    if found := re.search(r"full_key: (\S+)", text):
        key = found.group(1)
        parent, _, last = key.rpartition(".")
        if _is_unknown(allowed, key) and "could not be converted" not in text:
            return _unknown_key(allowed, parent, last)
        if found := re.search(r"Value '(.*?)' of type '.*?' could not be converted to (\w+)", text):
            return f"{key}: expected {TYPES.get(found.group(2), found.group(2))}, found '{found.group(1)}'"
        if found := re.search(r"Value '(.*?)' is not a valid bool", text):
            return f"{key}: expected {TYPES['Boolean']}, found '{found.group(1)}'"
        if "is not Optional" in text:
            return f"{key}: expected a value, found null"
        # OmegaConf's innermost error may still contain placeholders ($VALUE); an outer one has them filled in.
        said = [line for line in map(_first_line, reversed(chain)) if "$" not in line]
        return f"{key}: {said[0] if said else _first_line(error)}"
    if found := re.search(r"Could not override '([^']+)'", text):
        parent, _, last = found.group(1).rpartition(".")
        return _unknown_key(allowed, parent, last)
    return _first_line(error)


def no_yaml(error: YAMLError) -> str:
    """Say which file is not YAML, and from which line on."""
    # The scanner's error has a mark. The reader's, about a character that YAML does not allow, names the file itself.
    mark = getattr(error, "problem_mark", None)
    file, line = (mark.name, f" line {mark.line + 1}:") if mark else (getattr(error, "name", "a file"), "")
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or _first_line(error)
    return f"{_from_here(Path(file))}:{line} expected YAML as in the files of conf/, found something else ({what})"


def _no_text(error: UnicodeDecodeError) -> str:
    """Find the file that is not UTF-8, which Python's error does not name, and say so.

    Raises:
        UnicodeDecodeError: no file of the configuration is the cause.
    """
    for folder in conf_folders():
        for path in sorted(folder.rglob("*.yaml")):
            try:
                path.read_text(encoding="utf-8")
            except UnicodeDecodeError as found:
                line = found.object.count(b"\n", 0, found.start) + 1
                byte = found.object[found.start]
                return f"{_from_here(path)}: line {line}: expected UTF-8, found byte 0x{byte:02x}; save it as UTF-8"
    raise error


def _from_here(path: Path) -> Path:
    """The path relative to the current folder if it lies below it, as a person would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _chain(error: BaseException) -> list[BaseException]:
    links = [error]
    while (deeper := links[-1].__cause__ or links[-1].__context__) is not None and len(links) < 8:
        links.append(deeper)
    return [link for link in links if isinstance(link, COMPOSITION_ERRORS)] or [error]


def _is_unknown(allowed: DictConfig, key: str) -> bool:
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(allowed, parent) if parent else allowed
    return isinstance(node, DictConfig) and last not in node


def _unknown_key(allowed: DictConfig, parent: str, key: str) -> str:
    return f"{parent or 'configuration'}: expected keys among {_keys(allowed, parent)}, found '{key}'"


def _keys(allowed: DictConfig, parent: str) -> str:
    node = OmegaConf.select(allowed, parent) if parent else allowed
    keys = [str(key) for key in node] if isinstance(node, DictConfig) else []
    return ", ".join(keys) or "none"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
