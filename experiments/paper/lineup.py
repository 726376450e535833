"""The routers of a pool that the paper's tables compare: SharedTrunkNet on each encoder, and semantic ones."""

from dataclasses import dataclass
from pathlib import Path

from experiments.comparing.grid import Choice, best_of_grid, is_semantic
from experiments.paper.asked import Asked
from experiments.paper.reported import TRUNK, router_name
from prefillroute.config.folders import conf_dir
from prefillroute.config.unread import unread_groups
from prefillroute.errors import UserError
from prefillroute.reports.headline import number
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.run_table import read_config

SEMANTIC = (
    "u_emb_mt:none",
    "5_emb_mt:none",
    "5_emb_mt:percentile",
    "5_emb_mt:platt",
    "6_all_trunk",
    "category_prior",
    "constant",
)
"""The paper's architectures under its calibrations, the best of ours, and two that read no text."""
BEST = 3
"""How many routers the tables of the best and of the worst have."""


@dataclass(frozen=True)
class Ranked:
    """A router among the best or the worst of a pool."""

    place: str
    """As the paper writes it: 1, 2, 3, last-2, last-1, last."""
    name: str
    folder: Path
    auc: float
    """Mean over targets on the rows it was ranked by: calibration or out-of-fold rows, never test."""


def line_up(asked: Asked) -> dict[str, Path]:
    """Train what is missing; names and run folders, the reference first.

    The reference is SharedTrunkNet on the last of the encoders, the strongest.

    Raises:
        UserError: a run failed, or a semantic router is unknown.
    """
    reference = reference_of(asked)
    folders = {}
    for encoder in reversed(asked.encoders):
        name = reference if encoder == asked.encoders[-1] else f"{TRUNK} ({encoder})"
        folders[name] = asked.prefill(encoder)
    for text in asked.semantic or SEMANTIC:
        folders.update(_semantic(asked, Choice.parse(text)))
    return folders


def reference_of(asked: Asked) -> str:
    """The name of the router that others are compared with; it names its encoder where there are several."""
    return TRUNK if len(asked.encoders) == 1 else f"{TRUNK} ({asked.encoders[-1]})"


def printed_name(name: str, reference: str) -> str:
    """The name under which the paper may print a router: its SharedTrunkNet is compared with the reference alone."""
    return TRUNK if name == reference else name


def _semantic(asked: Asked, choice: Choice) -> dict[str, Path]:
    """One run for each embedder that is asked for, if it reads one."""
    known = {path.stem for path in (conf_dir() / "experiment" / "semantic").glob("*.yaml")} - {"grid"}
    if choice.name not in known:
        raise UserError(f"--semantic: expected some of {', '.join(sorted(known))}, found {choice.name}")
    own = [f"experiment=semantic/{choice.name}"]
    if choice.calibration is not None:
        own.append(f"calibration={choice.calibration}")
    reads = "embedder" not in unread_groups(asked.config(*own))
    found = {}
    for embedder in asked.embedders if reads else (None,):
        with_it = [*own, f"embedder={embedder}"] if embedder else own
        stem = "-".join(filter(None, (choice.name, choice.calibration, embedder)))
        found[router_name(choice.name, embedder, choice.calibration)] = asked.run(stem, *with_it)
    return found


def rank(asked: Asked, folders: dict[str, Path]) -> list[Ranked]:
    """The best three and the worst three routers by mean AUC on calibration or out-of-fold rows, best first.

    They are those of the grid if one was given, else those of the line-up. All are returned where there are six or
    fewer.

    Raises:
        UserError: the grid is of another pool, or a run has no rows outside test.
    """
    found = _of_grid(asked) if asked.grid else [_ranked(name, folder) for name, folder in folders.items()]
    found.sort(key=lambda entry: -entry[2])
    if len(found) > 2 * BEST:
        found = [*found[:BEST], *found[-BEST:]]
    places = [str(index + 1) for index in range(len(found))]
    for back, index in enumerate(range(len(found) - 1, BEST - 1, -1)):
        places[index] = "last" if back == 0 else f"last-{back}"
    return [Ranked(place, *entry) for place, entry in zip(places, found, strict=True)]


def _ranked(name: str, folder: Path) -> tuple[str, Path, float]:
    auc = number(read_metrics(folder)["test"], "selection_auc")
    if auc is None:
        raise UserError(f"{folder}/metrics.json: expected selection_auc, to rank by, found none")
    return name, folder, auc


def _of_grid(asked: Asked) -> list[tuple[str, Path, float]]:
    """The grid's predictors, each under its best calibration."""
    assert asked.grid is not None
    found = []
    for choice in best_of_grid(asked.grid, None, is_semantic):
        assert choice.folder is not None
        assert choice.auc is not None
        found.append((choice, choice.folder, choice.auc))
    config = read_config(found[0][1])
    wanted = asked.data.pool.name
    if config.pool.name != wanted:
        raise UserError(f"--grid {asked.grid}: expected runs on pool {wanted}, found {config.pool.name}")
    if len(found) > 2 * BEST:
        found = [*found[:BEST], *found[-BEST:]]
    return [(_name_of(asked, choice, folder), folder, auc) for choice, folder, auc in found]


def _name_of(asked: Asked, choice: Choice, folder: Path) -> str:
    reads = "embedder" not in unread_groups(asked.config(f"experiment=semantic/{choice.name}"))
    embedder = str(read_config(folder).embedder.name) if reads else None
    return router_name(choice.name, embedder, choice.calibration)
