"""One more of a kind is one or two files and no list: toys are added in a temporary folder and used by a whole run.

Modules are put beside ours by extending the path of their package, YAMLs into `conf/` of the working directory. The
kinds of parts that know nothing of runs are tested likewise in their own folders: policies (tests/router), calibrators,
costs, importers, poolings, metrics (tests/routing).
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from prefillroute import heads, layers, modes, signals
from prefillroute.caches.reader import ActivationCache
from prefillroute.cli.main import main
from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EmbedderConfig, EncoderConfig
from prefillroute.extraction import backends
from prefillroute.extraction.run import extract
from prefillroute.outcomes.files import read_outcomes
from prefillroute.readings import readers
from prefillroute.router.router import Router
from prefillroute.training.run import train_router
from tests.shipped import add_module
from tests.training.conftest import Given

World = Any  # of conftest.py
Add = Callable[[ModuleType, str, str], None]
Option = Callable[[str, str, str], None]

HEAD = '''
from prefillroute.heads.contract import Head
from prefillroute.heads.layout import Layout
from prefillroute.heads.stacked import StackedMLP
from prefillroute.seeds import seeded_generator


class LinearHead(Head):
    """One linear map per member."""

    def __init__(
        self, layout: Layout, num_targets: int, num_groups: int = 1, num_members: int = 1, seed: int = 0
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        for group in range(num_groups):
            generators = [seeded_generator(seed, "init", group, member) for member in range(num_members)]
            self.groups.append(StackedMLP(generators, layout.width, (), (), num_targets))
'''
SIGNAL = '''
import numpy as np

from prefillroute.heads.layout import Layout
from prefillroute.readings.contract import Reading, Readings
from prefillroute.signals.contract import Fitting, Signal


class ScaledSignal(Signal):
    """What a source says, divided by its greatest value among the training rows of group 0."""

    def __init__(self, source: str) -> None:
        self.source = source

    def reads(self) -> tuple[Reading, ...]:
        return (Reading("toy_source", self.source),)

    def fit_transform(self, readings: Readings, fitting: Fitting) -> np.ndarray:
        self.greatest_ = np.abs(self._values(readings)[fitting.masks[0]]).max()
        self.layout_ = Layout(self._values(readings).shape[1])
        return np.repeat(self.transform(readings)[None], len(fitting.masks), axis=0)

    def transform(self, readings: Readings) -> np.ndarray:
        return self._values(readings) / self.greatest_

    def _values(self, readings: Readings) -> np.ndarray:
        return readings.source(Reading("toy_source", self.source)).read(0, "said")
'''
READER = """
from dataclasses import dataclass

from omegaconf import MISSING

from prefillroute.caches.keys import cache_path
from prefillroute.readings import reader


@dataclass
class ToyConfig:
    name: str = MISSING
    loudness: int = MISSING


class Reader(reader.Reader):
    form = ToyConfig

    def cache(self, caches, facts):
        return cache_path(caches, f"toy_source.{facts.name}", "plain")

    def check(self, identity, path, facts):
        assert facts.loudness == 11

    def load(self, facts, identity, cells, device):
        raise AssertionError("not run in this test")
"""
LAYERS = '''
from prefillroute.layers.contract import LayerChooser
from prefillroute.layers.choice import Block
from prefillroute.layers.selection import one_for_all
from prefillroute.layers.table import ProbeTable


class FirstLayer(LayerChooser):
    """The first layer that is cached."""

    def __init__(self, pooling: str, dim: int = 2) -> None:
        self.pooling, self.dim = pooling, dim

    def score(self, source, task, progress=None):
        block = Block(source.encoder, (source.layer_ids[0],), self.pooling, self.dim)
        return ProbeTable(task.targets, (block,), empty_table(), {source.encoder: source.num_layers})

    def select(self, table):
        return one_for_all(table, table.blocks)
'''.replace("import Block\n", "import Block, empty_table\n")
MODE = '''
from prefillroute.modes.contract import Mode


class LastNamed(Mode):
    """The last of several encoders serves all targets."""

    def __init__(self, encoders: list[str]) -> None:
        self.encoders = tuple(encoders[-1:])

    def choose(self, chooser, score, task):
        return chooser.select(score(self.encoders[0], task))
'''
BACKEND = '''
import numpy as np

from prefillroute.extraction.backends.transformers import TransformersBackend


class Doubled(TransformersBackend):
    """Says everything twice as loud."""

    def read(self, work, layer_ids, poolings):
        for rows, pooled in super().read(work, layer_ids, poolings):
            yield rows, {name: 2 * array for name, array in pooled.items()}
'''


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Add:
    """`add(package, name, source)`: one more module."""

    def one(package: ModuleType, name: str, source: str) -> None:
        folder = tmp_path / package.__name__
        folder.mkdir(exist_ok=True)
        add_module(monkeypatch, folder, package, name, source)

    return one


@pytest.fixture
def option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Option:
    """`option(group, name, text)`: one more YAML in `conf/` of the working directory."""
    monkeypatch.chdir(tmp_path)

    def one(group: str, name: str, text: str) -> None:
        folder = tmp_path / "conf" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)

    return one


def run(world: World, folder: Path, *overrides: str) -> Router:
    """Train, and load the bundle that was left."""
    train_router(world.config(*overrides, "report=false", "evaluation.num_resamples=0"), folder / "run")
    return Router.load(folder / "run" / "router")


def test_a_head_is_a_class_and_a_yaml(world: World, add: Add, option: Option, tmp_path: Path) -> None:
    add(heads, "linear", HEAD)
    option("head", "linear", "_target_: prefillroute.heads.linear.LinearHead\n_partial_: true\n")
    router = run(world, tmp_path, "head=linear", "signal=embedding")
    assert type(router.predictor.head).__name__ == "LinearHead"


def test_a_signal_and_what_it_reads_are_two_files_each(
    world: World, add: Add, option: Option, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(readers, "toy_source", READER)
    option("toy_source", "mine", "name: mine\nloudness: 11\n")
    add(signals, "scaled", SIGNAL)
    option("signal", "scaled", "_target_: prefillroute.signals.scaled.ScaledSignal\nsource: mine\n")
    queries = read_outcomes(world.folder).queries
    ids, prompts = queries["query_id"].tolist(), queries["prompt"].tolist()
    said = np.random.default_rng(0).normal(size=(len(ids), 1, 3)).astype(np.float32)
    extract(Given("toy_source.mine", said, prompts, ("said",)), ids, prompts, world.folder)
    router = run(world, tmp_path, "signal=scaled", "head=logistic")
    (entry,) = router.manifest.models
    assert (entry.reading.group, entry.facts.loudness, entry.cells) == ("toy_source", 11, ((0, "said"),))
    assert router.manifest.counter is None  # only encoders count tokens


def test_a_layer_strategy_and_a_mode_are_a_class_and_a_yaml_each(
    world: World, add: Add, option: Option, tmp_path: Path
) -> None:
    add(layers, "first", LAYERS)
    option("layers", "first", "_target_: prefillroute.layers.first.FirstLayer\npooling: mean\n")
    add(modes, "last_named", MODE)
    option("mode", "last_named", "_target_: prefillroute.modes.last_named.LastNamed\nencoders: []\n")
    router = run(
        world, tmp_path, "layers=first", "mode=last_named", "mode.encoders=[none,toy]", "head=logistic"
    )
    assert router.manifest.models[0].cells == ((0, "mean"),)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["layers"]["blocks"][0]["layers"] == [0]


def test_an_encoder_and_an_embedder_are_a_yaml(option: Option) -> None:
    option("encoder", "mine", "name: mine\nnum_layers: 2\nhidden_size: 8\ncontext_length: 9\nparams_b: 0.1\n")
    option("embedder", "mine", "name: mine\ndimension: 8\nmax_length: 9\n")
    assert read_fact("encoder", "mine", EncoderConfig).hidden_size == 8
    assert read_fact("embedder", "mine", EmbedderConfig).dimension == 8


def test_an_extraction_backend_is_a_class_and_a_yaml(add: Add, option: Option, tmp_path: Path) -> None:
    add(backends, "doubled", BACKEND)
    option(
        "extraction",
        "doubled",
        "_target_: prefillroute.extraction.backends.doubled.Doubled\ndevice: cpu\ntokens_per_batch: null\n"
        "share_prefix: null\n",
    )
    queries = read_outcomes("pkg://prefillroute.starter_pool", max_queries=6).queries
    said = []
    for name in ("transformers", "doubled"):
        caches = tmp_path / name
        words = ["pool=starter", "pool.max_queries=6", f"paths.caches={caches}", f"paths.runs={tmp_path}"]
        assert main(["extract", *words, f"extraction={name}", "request.layers=[3]"]) == 0
        cache = ActivationCache(caches / "smollm2_135m-chat.h5")
        view = cache.select(queries["query_id"].tolist(), queries["prompt"].tolist())
        said.append(view.read(3, "mean"))
    np.testing.assert_array_equal(said[1], 2 * said[0])
