"""`sweep.json`: what a sweep was to do, so that its summary knows what is missing and how to go on."""

import itertools
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from prefillroute.files import write_text
from prefillroute.text import hints

log = logging.getLogger(__name__)

PLAN_FILE = "sweep.json"


@dataclass(frozen=True)
class SweepPlan:
    """Written into the sweep's folder before its first job."""

    command: str
    """The command that resumes the sweep in the same folder."""
    jobs: tuple[tuple[str, ...], ...] | None = None
    """The overrides of each; None where the sweeper decides while it runs."""
    shown: tuple[str, ...] = ()
    """Metrics in the columns of the summary; empty for the usual ones."""


def write_plan(config: DictConfig, shown: Sequence[str] = ()) -> None:
    """Write sweep.json before the first job, and log how to resume after an interruption.

    Args:
        config: of the sweep, as Hydra gives it to a callback.
        shown: metrics in the columns of the summary.
    """
    plan = SweepPlan(sweep_command(config), _planned(config), tuple(shown))
    write_text(Path(config.hydra.sweep.dir) / PLAN_FILE, json.dumps(asdict(plan), indent=1) + "\n")
    log.info("after a stop this goes on: %s", plan.command)


def read_plan(sweep_dir: Path) -> SweepPlan:
    """The plan of a sweep; of one that left none, or half of one, only how to go on with it."""
    try:
        plan = json.loads((sweep_dir / PLAN_FILE).read_text(encoding="utf-8"))
        jobs = None if plan["jobs"] is None else tuple(tuple(map(str, job)) for job in plan["jobs"])
        return SweepPlan(str(plan["command"]), jobs, tuple(map(str, plan["shown"])))
    except (OSError, ValueError, KeyError, TypeError):
        return SweepPlan(f"the sweep's command with hydra.sweep.dir={sweep_dir}")


def sweep_command(config: DictConfig) -> str:
    """The command that resumes a sweep in its folder."""
    hydra = config.hydra
    said = OmegaConf.to_container(hydra.overrides, resolve=False)  # as typed
    assert isinstance(said, dict)
    task, own = said["task"], said["hydra"]
    kept = [text for text in own if not text.startswith(("hydra.mode=", "hydra.sweep.dir="))]
    several = ["-m"] if "hydra.mode=MULTIRUN" in own else []
    words = hints.command(*started_with(hydra.job.name), *several, *task, *kept)
    return f"{words} {hints.override('hydra.sweep.dir', hydra.sweep.dir)}"


def started_with(command: str) -> list[str]:
    """The words before the arguments: `python train.py` in a checkout, else for instance `prefillroute train`."""
    script = sys.argv[0]
    return ["python", script] if Path(script).name == "train.py" else ["prefillroute", command]


def _planned(config: DictConfig) -> tuple[tuple[str, ...], ...] | None:
    """The overrides of each job of Hydra's own sweeper; None for another sweeper, which may decide while it runs."""
    sweeper = config.hydra.sweeper
    if not str(sweeper.get("_target_")).endswith(".BasicSweeper"):
        return None
    params = OmegaConf.to_container(sweeper.params) if sweeper.params else {}
    task = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    assert isinstance(params, dict)
    assert isinstance(task, list)
    overrides = [f"{key!s}={value!s}" for key, value in params.items()] + task
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    values = {}  # by key: the command line takes precedence over the experiment
    for override in parser.parse_overrides(overrides):
        key = override.get_key_element()
        several = override.is_sweep_override()
        found = override.sweep_string_iterator() if several else [override.get_value_element_as_str()]
        values[key] = [f"{key}={value}" for value in found]
    return tuple(itertools.product(*(found for key, found in values.items() if not key.startswith("hydra."))))
