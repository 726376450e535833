"""The name of a sweep's folder: the same choices give the same name, in whatever order they are written."""

from collections.abc import Sequence

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from prefillroute.digest import digest

RESOLVER = "prefillroute.sweep_name"
"""Part of the default of `hydra.sweep.dir`."""
LONGEST_NAME = 40


def register_sweep_name() -> None:
    """Make the resolver known to OmegaConf. Idempotent."""
    # Cached, because in the configuration of a job the overrides are those of the job.
    OmegaConf.register_new_resolver(RESOLVER, _resolve, replace=True, use_cache=True)


def sweep_choices(task: ListConfig, sweeper: DictConfig) -> dict[str, list[str]]:
    """Key -> its values as `key=value`, for what the command line and an experiment give to a sweeper.

    Args:
        task: the node `hydra.overrides.task` of the sweep's configuration.
        sweeper: its node `hydra.sweeper`.
    """
    params = OmegaConf.to_container(sweeper.get("params") or OmegaConf.create({}))
    typed = OmegaConf.to_container(task, resolve=False)
    assert isinstance(params, dict)
    assert isinstance(typed, list)
    overrides = [f"{key!s}={value!s}" for key, value in params.items()] + typed
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    values = {}  # by key: the command line takes precedence over the experiment
    for override in parser.parse_overrides(overrides):
        key = override.get_key_element()
        several = override.is_sweep_override()
        found = override.sweep_string_iterator() if several else [override.get_value_element_as_str()]
        values[key] = [f"{key}={value}" for value in found]
    return {key: found for key, found in values.items() if not key.startswith("hydra.")}


def sweep_name(command: str, choices: Sequence[Sequence[str]]) -> str:
    """A name for a folder: what varies, and a digest of everything.

    Args:
        command: the subcommand, for instance `train`.
        choices: for each key its values as `key=value`.

    Example:
        >>> one = sweep_name("train", [["head=a", "head=b"], ["seed=0", "seed=1"], ["pool=x"]])
        >>> one == sweep_name("train", [["pool=x"], ["seed=1", "seed=0"], ["head=b", "head=a"]])
        True
        >>> one.rpartition("-")[0]
        'head-seed'
    """
    own = sorted(sorted(values) for values in choices)
    varied = [
        values[0].partition("=")[0].lstrip("+~").rpartition(".")[2] for values in own if len(values) > 1
    ]
    readable = "-".join(key.rpartition("/")[2] for key in varied)[:LONGEST_NAME].rstrip("-") or command
    return f"{readable}-{digest({'command': command, 'choices': own})[:8]}"


def _resolve(command: str, task: ListConfig, sweeper: DictConfig) -> str:
    return sweep_name(command, list(sweep_choices(task, sweeper).values()))
