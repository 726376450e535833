"""`prefillroute train` and `python train.py`: Hydra composes, mistakes end in one line."""

import argparse
import os
import sys
from collections.abc import Sequence
from string import Template

import hydra
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig, OmegaConf

from prefillroute.cli.dispatch import load
from prefillroute.config.compose import compose_options
from prefillroute.config.explain import COMPOSITION_ERRORS, explain
from prefillroute.config.overrides import name_options
from prefillroute.config.schema import register_schemas
from prefillroute.config.search import conf_dir, conf_folders, register_search_path
from prefillroute.errors import UserError
from prefillroute.jobs.folder import register_job_folder
from prefillroute.text.printing import say

# Here, not in `start`: a launcher that sends a job to another machine imports this module there.
register_job_folder()


def train(config: DictConfig) -> None:
    """One job: compose -> outcomes -> features -> head -> calibration -> metrics, report, bundle."""
    load("training.run").run(config)


def help_text() -> str:
    """What `--help` prints: `hydra.help.template`, filled in here since Hydra needs a second to list the groups."""
    groups: dict[str, set[str]] = {}
    for folder in conf_folders():
        for path in folder.rglob("*.yaml"):
            group = path.parent.relative_to(folder).as_posix()
            if group.partition("/")[0] not in (".", "hydra"):
                groups.setdefault(group, set()).add(path.stem)
    lines = (f"{group}: {', '.join(sorted(options))}" for group, options in sorted(groups.items()))
    template = str(OmegaConf.load(conf_dir() / "config.yaml").hydra.help.template)
    return Template(template).substitute(APP_CONFIG_GROUPS="\n".join(lines)).rstrip()


def start(arguments: Sequence[str]) -> int:
    """Run one job, or with `-m` several.

    Args:
        arguments: Hydra's: overrides and options such as `--help`, `--cfg job`, `-m`.

    Returns:
        Exit status 0; a job that fails leaves the process with 1.

    Raises:
        UserError: the configuration does not compose; says what would.
    """
    if {"--help", "-h"} & set(arguments):
        say(*help_text().splitlines())
        return 0
    arguments = _options_first(arguments)
    register_schemas()
    register_search_path()
    # With this Hydra re-raises what went wrong instead of printing its own excerpt of the traceback.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    arguments = name_options(arguments)
    sys.argv = [sys.argv[0], *arguments]  # where Hydra looks
    main = hydra.main(version_base="1.3", config_path=str(conf_folders()[0]), config_name="config")(train)
    try:
        main()
    except COMPOSITION_ERRORS as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None  # of a callback's constructor; Hydra's own words would hide it
        raise UserError(explain(error, compose_options(arguments), sweeps=True)) from error
    return 0


def _options_first(arguments: Sequence[str]) -> list[str]:
    """The same arguments in the order that Hydra's parser takes: it refuses overrides on both sides of an option.

    Raises:
        UserError: an option that Hydra lacks or a value that it refuses, in one line, where Hydra's own parser prints
            its usage.
    """
    parser = get_args_parser()
    parser.exit_on_error = False
    try:
        known, unknown = parser.parse_known_intermixed_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(f"prefillroute train: {error}") from error
    if unknown:
        allowed = [option for action in parser._actions for option in action.option_strings[:1]]
        raise UserError(
            f"prefillroute train: unrecognized arguments: {' '.join(unknown)}; allowed are {', '.join(allowed)}"
        )
    options = list(arguments)
    for override in known.overrides:
        options.remove(override)
    return [*options, *known.overrides]
