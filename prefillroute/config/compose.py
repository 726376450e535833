"""Composes a configuration from ``conf/`` outside `prefillroute train`: in subcommands, tests and notebooks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prefillroute.config.explain import COMPOSITION_ERRORS, explain, no_yaml
from prefillroute.config.folders import conf_folders, is_group
from prefillroute.config.numbers import check_numbers
from prefillroute.config.overrides import name_options
from prefillroute.config.schema import register_schemas
from prefillroute.config.search import check_unread, register_search_path
from prefillroute.errors import UserError

Fact = TypeVar("Fact")


def compose_run(
    overrides: Sequence[str] = (), config_name: str = "config", conf: Path | None = None
) -> DictConfig:
    """Compose ``config_name`` with Hydra overrides, as the command line would.

    Raises:
        UserError: an option or key is misspelt (the message names the allowed ones), or a value has the wrong type.
    """
    overrides = name_options(overrides)
    try:
        config = _compose(overrides, config_name, conf)
    except COMPOSITION_ERRORS as error:
        raise UserError(explain(error, compose_options(overrides, config_name, conf))) from error
    if conf is None:
        check_unread(overrides, config.hydra.runtime.choices)
    config = _without_hydra(config)
    check_numbers(config)
    return config


def compose_options(
    overrides: Sequence[str] = (), config_name: str = "config", conf: Path | None = None
) -> DictConfig | None:
    """Compose with the chosen options only, so that the result's keys are the allowed ones.

    Returns:
        The configuration, or None if not even the defaults compose.
    """
    options = [text for text in overrides if is_group(text)]
    for tried in (options, []) if options else ([],):
        try:
            return _without_hydra(_compose(tried, config_name, conf))
        except COMPOSITION_ERRORS:
            continue
    return None


def fact(node: Any, form: type[Fact]) -> Fact:
    """Turn a fact node (``cfg.encoder``, ``cfg.pool``, ...) into its dataclass, with interpolations resolved.

    Raises:
        UserError: a value is missing, or an interpolation does not resolve.
    """
    try:
        found = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        raise UserError(
            f"{form.__name__}: expected values that resolve, found: {str(error).splitlines()[0]}"
        ) from error
    assert isinstance(found, form), f"{type(found).__name__} is not a {form.__name__}"
    return found


def read_fact(group: str, option: str, form: type[Fact], conf: Path | None = None) -> Fact:
    """Read an option of a fact group that no configuration composes, for instance the provider of each target.

    Raises:
        UserError: the option is unknown, the form lacks a key, or a value is missing or of the wrong type.
    """
    files = {
        file.stem: file
        for folder in reversed([conf] if conf else conf_folders())
        for file in (folder / group).glob("*.yaml")
    }
    path = files.get(option)
    if path is None:
        raise UserError(f"{group}: expected an option among {', '.join(sorted(files))}, found '{option}'")
    where = f"conf/{group}/{path.name}"
    try:
        node = OmegaConf.merge(OmegaConf.structured(form), OmegaConf.load(path))
        missing = sorted(OmegaConf.missing_keys(node))
        if missing:
            raise UserError(f"{where}: expected a value for {', '.join(missing)}, found none")
        return fact(node, form)
    except YAMLError as error:
        raise UserError(no_yaml(error)) from error
    except COMPOSITION_ERRORS as error:
        raise UserError(f"{where}: expected a valid {group}, found: {str(error).splitlines()[0]}") from error


def _compose(overrides: list[str], config_name: str, conf: Path | None) -> DictConfig:
    register_schemas()
    register_search_path()
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(conf or conf_folders()[0]), version_base="1.3"):
        return compose(config_name, overrides=overrides, return_hydra_config=True)


def _without_hydra(config: DictConfig) -> DictConfig:
    with open_dict(config):
        del config["hydra"]
    return config
