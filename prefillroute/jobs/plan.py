"""`sweep.json`: what a sweep was to do, so that its summary knows what is missing and how to go on."""

import itertools
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from prefillroute.files import write_text
from prefillroute.jobs.signature import sweep_choices
from prefillroute.text import hints

log = logging.getLogger(__name__)

PLAN_FILE = "sweep.json"


@dataclass(frozen=True)
class SweepPlan:
    """Written into the sweep's folder before its first job."""

    command: str
    """The command that resumes the sweep in the same folder."""
    arguments: tuple[str, ...] = ()
    """The same as its words after `prefillroute`; empty if they are not known."""
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
    plan = SweepPlan(sweep_command(config), tuple(_arguments(config)), _planned(config), tuple(shown))
    write_text(Path(config.hydra.sweep.dir) / PLAN_FILE, json.dumps(asdict(plan), indent=1) + "\n")
    if not config.hydra.launcher.get("plan"):
        log.info("after a stop this goes on: %s", plan.command)


def read_plan(sweep_dir: Path) -> SweepPlan:
    """The plan of a sweep; of one that left none, or half of one, only how to go on with it."""
    try:
        plan = json.loads((sweep_dir / PLAN_FILE).read_text(encoding="utf-8"))
        jobs = None if plan["jobs"] is None else tuple(tuple(map(str, job)) for job in plan["jobs"])
        arguments = tuple(map(str, plan.get("arguments", ())))
        return SweepPlan(str(plan["command"]), arguments, jobs, tuple(map(str, plan["shown"])))
    except (OSError, ValueError, KeyError, TypeError):
        return SweepPlan(f"the sweep's command with hydra.sweep.dir={sweep_dir}")


def sweep_command(config: DictConfig) -> str:
    """The command that resumes a sweep in its folder."""
    command, *words = _arguments(config)
    *words, _ = words  # the folder comes with quotes for the shell
    started = hints.command(*started_with(command), *words)
    return f"{started} {hints.override('hydra.sweep.dir', config.hydra.sweep.dir)}"


def _arguments(config: DictConfig) -> list[str]:
    """The words of the command that resumes a sweep, beginning with the subcommand, as Hydra reads them."""
    hydra = config.hydra
    said = OmegaConf.to_container(hydra.overrides, resolve=False)  # as typed
    assert isinstance(said, dict)
    left_out = (
        "hydra.mode=",
        "hydra.sweep.dir=",
        "hydra.launcher.detach=",
        "hydra.launcher.plan=",
        "hydra.launcher.probe=",
    )
    kept = [text for text in said["hydra"] if not text.startswith(left_out)]
    several = ["-m"] if "hydra.mode=MULTIRUN" in said["hydra"] else []
    folder = f"hydra.sweep.dir={hints.hydra_value(hydra.sweep.dir)}"
    return [hydra.job.name, *several, *said["task"], *kept, folder]


def started_with(command: str) -> list[str]:
    """The words before the arguments: `python train.py` in a checkout, else for instance `prefillroute train`."""
    script = sys.argv[0]
    return ["python", script] if Path(script).name == "train.py" else ["prefillroute", command]


def _planned(config: DictConfig) -> tuple[tuple[str, ...], ...] | None:
    """The overrides of each job of Hydra's own sweeper; None for another sweeper, which may decide while it runs."""
    sweeper = config.hydra.sweeper
    if not str(sweeper.get("_target_")).endswith(".BasicSweeper"):
        return None
    return tuple(itertools.product(*sweep_choices(config.hydra.overrides.task, sweeper).values()))
