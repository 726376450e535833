"""A command as a Hydra application: Hydra composes, runs or sweeps its jobs, and mistakes end in one line."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from prefillroute.config.compose import compose_options
from prefillroute.config.explain import COMPOSITION_ERRORS, explain
from prefillroute.config.folders import conf_folders
from prefillroute.config.overrides import name_options
from prefillroute.config.schema import register_schemas
from prefillroute.config.search import register_search_path
from prefillroute.errors import UserError
from prefillroute.jobs.folder import register_job_folder
from prefillroute.jobs.signature import register_sweep_name

# Here, not in `start`: a launcher that sends a job to another machine imports the task's module there, and with it
# this one.
register_job_folder()
register_sweep_name()

_OVERRIDE = re.compile(r"--[+~]{0,2}\w[\w./@:-]*=")


def start(command: str, config_name: str, task: Callable[[DictConfig], Any], arguments: Sequence[str]) -> int:
    """Run one job, or with `-m` several.

    Args:
        command: the subcommand, for messages.
        config_name: the root file in `conf/`.
        task: does one job. Launchers send it to other processes by its name, so it is a function of a module, and that
            module imports this one. What it returns goes to the sweeper.
        arguments: Hydra's: overrides and options such as `--cfg job` or `-m`.

    Returns:
        Exit status: 0, or 1 after a job that failed.

    Raises:
        UserError: the configuration does not compose; says what would.
    """
    arguments = _options_first(command, arguments)
    register_schemas()
    register_search_path()
    # With this Hydra re-raises what went wrong instead of printing its own excerpt of the traceback.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    arguments = name_options(arguments)
    sys.argv = [sys.argv[0], *arguments]  # where Hydra looks
    main = hydra.main(version_base="1.3", config_path=str(conf_folders()[0]), config_name=config_name)(task)
    try:
        with _as_found():
            main()
    except COMPOSITION_ERRORS as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None  # of a callback's constructor; Hydra's own words would hide it
        raise UserError(explain(error, compose_options(arguments, config_name), sweeps=True)) from error
    except SystemExit as left:  # of a job that has said why
        return int(left.code or 0)
    return 0


@contextmanager
def _as_found() -> Iterator[None]:
    """Undo what Hydra leaves behind: the root logger's handlers, and the job that is taken for the one that runs."""
    root, current = logging.getLogger(), HydraConfig.instance()
    handlers, level, job = root.handlers[:], root.level, current.cfg
    try:
        yield
    finally:
        current.cfg = job
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


def _options_first(command: str, arguments: Sequence[str]) -> list[str]:
    """The same arguments in the order that Hydra's parser takes: it refuses overrides on both sides of an option.

    ``--key=value``, as the agents of other sweepers write an override, is taken as one.

    Raises:
        UserError: an option that Hydra lacks or a value that it refuses, in one line, where Hydra's own parser prints
            its usage.
    """
    parser = get_args_parser()
    parser.exit_on_error = False
    own = {option for action in parser._actions for option in action.option_strings}
    # Not left to the parser, for which `--experiment=` is short for `--experimental-rerun=`.
    arguments = [
        text.removeprefix("--") if _OVERRIDE.match(text) and text.partition("=")[0] not in own else text
        for text in arguments
    ]
    try:
        known, unknown = parser.parse_known_intermixed_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(f"prefillroute {command}: {error}") from error
    if unknown:
        allowed = [option for action in parser._actions for option in action.option_strings[:1]]
        raise UserError(
            f"prefillroute {command}: unrecognized arguments: {' '.join(unknown)}; allowed are {', '.join(allowed)}"
        )
    options = list(arguments)
    for override in known.overrides:
        options.remove(override)
    return [*options, *known.overrides]
