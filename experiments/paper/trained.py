"""Routers trained in this process, many in a row, for parts that need dozens of small ones and only their confidences.

A run of `python train.py` costs seconds before it begins, and writes report and bundle. Here, outcomes, features and
opened caches are shared between the routers, and what stays of each is its table of confidences.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
from omegaconf import DictConfig

from experiments.paper.asked import Asked
from prefillroute import threads
from prefillroute.config.build import build
from prefillroute.config.compose import compose_run
from prefillroute.errors import UserError
from prefillroute.outcomes.files import write_table
from prefillroute.predictors.contract import Recipe
from prefillroute.routing.table import ConfidenceTable
from prefillroute.text.printing import say
from prefillroute.training.confidences import make_table
from prefillroute.training.data import data_key, load_data
from prefillroute.training.run import use_threads
from prefillroute.training.shared import Shared, key_of
from prefillroute.training.workshop import RunWorkshop


class Bench:
    """Trains the routers of one part of a study; those that were trained earlier with the same configuration are kept.

    Args:
        asked: the pool.
        part: names the folder of the tables.
        replaced: groups of the configuration that the part sets itself, such as `split`: overrides that all runs of the
            study have do not apply to them.
    """

    def __init__(self, asked: Asked, part: str, replaced: Sequence[str] = ()) -> None:
        self._asked, self._folder = asked, asked.folder / "tables" / part
        self._common = tuple(text for text in asked.common if not _sets(text, replaced))
        self._shared = Shared()

    def table(self, name: str, *overrides: str) -> ConfidenceTable:
        """The confidences of a router on all rows of its split.

        Args:
            name: of its file and for messages.
            overrides: its own, beside the common ones, which win where both choose the same.

        Raises:
            UserError: something is missing or wrong in configuration, outcomes or cache.
        """
        common = {_key(text) for text in self._common}
        own = [text for text in overrides if _key(text) not in common]
        config = compose_run((*own, *self._common, "trainer.progress_bar=false"))
        path = self._folder / f"{name}-{key_of(config, data_key(config))[:16]}.parquet"
        if not path.is_file():
            start = time.perf_counter()
            table = self._train(config)
            write_table(table.to_frame(), path)
            say(f"{name}: trained in {time.perf_counter() - start:.1f} s")
        # Read in any case, so that what a table says does not depend on whether it was trained now.
        return _read(path, self._asked)

    def tables(self, routers: Mapping[str, Sequence[str]]) -> tuple[dict[str, ConfidenceTable], list[str]]:
        """The confidences of several routers, by name, and a sentence about each one that cannot be trained.

        Args:
            routers: name and overrides of each; the first one is needed, the others are left out where, for instance,
                nothing is cached of what they read.

        Raises:
            UserError: the first one cannot be trained.
        """
        found, missing = {}, []
        for name, overrides in routers.items():
            try:
                found[name] = self.table(name, *overrides)
            except UserError as error:
                if not found:
                    raise
                missing.append(f"{name} is left out: {error}")
        return found, missing

    def _train(self, config: DictConfig) -> ConfidenceTable:
        logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
        pl.seed_everything(config.seed, verbose=False)
        use_threads(threads.allowed() if config.threads is None else config.threads)
        data = self._shared.data.get(data_key(config), lambda: load_data(config))
        workshop = RunWorkshop(config, data, self._shared)
        recipe: Recipe = build(config.predictor)
        prediction = recipe.train(workshop)
        tokens = workshop.query_tokens(prediction.predictor)
        cost = build(config.cost).fit(data.outcomes, data.split.train, data.targets, tokens)
        return make_table(build(config.calibration), prediction.logits, data, cost, tokens)


def _read(path: Path, asked: Asked) -> ConfidenceTable:
    outcomes = asked.data.outcomes
    return ConfidenceTable.from_frame(pd.read_parquet(path), outcomes.queries, outcomes.correct_threshold)


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _sets(override: str, groups: Sequence[str]) -> bool:
    """Whether an override chooses an option of one of the groups, or sets a key of it."""
    return _key(override).partition(".")[0] in groups
