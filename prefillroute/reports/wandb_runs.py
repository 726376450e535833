"""Reads the runs of a sweep back from W&B: what `prefillroute wandb-report` is made of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import wandb
from omegaconf import OmegaConf

from prefillroute.config.guard import one_line
from prefillroute.errors import UserError
from prefillroute.reports.headline import number
from prefillroute.reports.tracked import TEST

TIMEOUT_S = 30


@dataclass(frozen=True)
class TrackedRun:
    """One run as W&B has it."""

    id: str
    name: str
    state: str
    """W&B's word: `finished`, `failed`, `preempted`, `running`, `crashed` ..."""
    config: Mapping[str, Any]
    summary: Mapping[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        """Its numbers and intervals in the layout of metrics.json."""
        test = {key.removeprefix(TEST): value for key, value in self.summary.items() if key.startswith(TEST)}
        ends = {key: [number(test, f"{key}_low"), number(test, f"{key}_high")] for key in test}
        return {"test": test, "intervals": {key: pair for key, pair in ends.items() if pair != [None, None]}}


@dataclass(frozen=True)
class TrackedSweep:
    """The runs of a sweep."""

    entity: str
    project: str
    name: str
    """Of the sweep's folder, which is the group of its runs; or the id of a sweep of W&B's."""
    of_agents: bool
    """Whether `wandb agent` started the runs."""
    runs: Sequence[TrackedRun]
    again: str
    """The command that runs it again; empty if it is not known."""
    definition: str = ""
    """Of a sweep of W&B's, its YAML."""

    @property
    def states(self) -> Counter[str]:
        """How many runs are in which state."""
        return Counter(run.state for run in self.runs)

    @property
    def choices(self) -> dict[str, list[str]]:
        """The values of each configured key that differs between the runs, the choices of groups first.

        Keys below a group whose choice differs are left out: another head has other keys.
        """
        flat = [_flat(run.config) for run in self.runs]
        groups = _varying([{k: v for k, v in keys.items() if k.startswith("choices.")} for keys in flat])
        below = tuple(f"{key.removeprefix('choices.')}." for key in groups)
        rest = [{k: v for k, v in keys.items() if not k.startswith((*_NO_CHOICES, *below))} for keys in flat]
        # A group's node is copied into the predictor's, so its keys are there twice.
        return groups | {k: v for k, v in _varying(rest).items() if not k.startswith("predictor.")}


_NO_CHOICES = ("choices.", "run_folder", "sweep.", "paths.", "logger.", "_wandb", "threads")


def read_tracked_sweep(entity: str, project: str, sweep: str) -> TrackedSweep:
    """Ask W&B for the runs of a sweep.

    Args:
        entity: user or team.
        project: the project.
        sweep: name of the sweep's folder, or the id of a sweep of W&B's.

    Raises:
        UserError: W&B cannot be reached or refuses the key, or there is no such run.
    """
    path = f"{entity}/{project}"
    try:
        api = wandb.Api(timeout=TIMEOUT_S, overrides={"entity": entity, "project": project})
        found = list(api.runs(path, filters={"group": sweep}))
        if found:
            # Commands are kept by every run, and any will do.
            again = next((text for run in found if (text := _command(run.config))), "")
            return TrackedSweep(entity, project, sweep, False, [_read(run) for run in found], again)
        found = list(api.runs(path, filters={"sweep": sweep}))
        if not found:
            raise UserError(
                "--sweep: expected the name of a sweep's folder or the id of a W&B sweep, found no run "
                f"of {sweep} in {path}; each run's page names its group"
            )
        definition = api.sweep(f"{path}/{sweep}").config
    except UserError:
        raise
    except Exception as error:  # the client raises errors of many kinds
        raise UserError(f"W&B: expected the runs of {path}, found: {one_line(error)}") from error
    text = _yaml(definition)
    return TrackedSweep(
        entity, project, sweep, True, [_read(run) for run in found], f"wandb agent {path}/{sweep}", text
    )


def _read(run: Any) -> TrackedRun:
    summary = {str(key): run.summary[key] for key in run.summary.keys()}  # noqa: SIM118 (it is no mapping)
    return TrackedRun(str(run.id), str(run.name), str(run.state), dict(run.config), summary)


def _command(config: Mapping[str, Any]) -> str:
    sweep = config.get("sweep")
    return str(sweep["command"]) if isinstance(sweep, Mapping) and "command" in sweep else ""


def _yaml(definition: Mapping[str, Any]) -> str:
    return OmegaConf.to_yaml(OmegaConf.create(dict(definition)))


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The plain values of a configuration by dotted key."""
    found: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str | int | float | bool):
            found[f"{prefix}{key}"] = str(value)
    return found


def _varying(rows: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The different values of the keys that do not have the same one everywhere, in the order of the rows."""
    keys = dict.fromkeys(key for row in rows for key in row)
    values = {key: list(dict.fromkeys(row[key] for row in rows if key in row)) for key in keys}
    return {key: found for key, found in values.items() if len(found) > 1}
