"""A toy pool with every cache that a predictor may read, filled with made-up vectors through the real extraction."""

import copy
import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import DictConfig, OmegaConf

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.extraction.backends.contract import Answer, Backend, Batch
from prefillroute.extraction.prompts import EncodedPrompt
from prefillroute.extraction.run import extract
from prefillroute.outcomes.files import write_outcomes
from prefillroute.training.data import RunData, load_data
from tests.training.toy_twins import PAIR

CONF = conf_dir()
TARGETS = ("cheap", "middle", "dear")
NUM_QUERIES, WIDTH = 360, 8
SMALL = [
    "trainer.num_members=1", "trainer.num_kept=1", "trainer.max_epochs=4", "trainer.progress_bar=false",
    "num_folds=2", "split.test_size=0.3",
]  # fmt: skip
FIXED = ["layers=final", "layers.dim=4"]
"""`cv_probe` chooses layers once, on all training outcomes (DESIGN section 7); here that is not the question."""
SMALLER = {
    **dict.fromkeys(("blend", "prefill", "prefill_embedding", "prefill_category", "prefill_semantic"), FIXED),
    "ego_graph": ["signal.dim=4"],
    "xgboost": ["head.num_rounds=10"],
    "cluster": ["head.num_clusters=[4]"],
}


@functools.cache
def composed(*overrides: str) -> DictConfig:
    """The run on any of the worlds; Hydra takes a quarter of a second for it."""
    targets = ",".join(f"{{name:{name},price_in:1,price_out:2}}" for name in TARGETS)
    pool = ("pool=mmlu_pro_six", "pool.name=toy", f"pool.targets=[{targets}]")
    encoder = ("encoder.name=toy", "encoder.num_layers=2", f"encoder.hidden_size={WIDTH}")
    embedder = ("embedder.name=toy", f"embedder.dimension={WIDTH}", "language_model.name=toy")
    return compose_run([*pool, *encoder, *embedder, *SMALL, *overrides])


@dataclass(frozen=True)
class World:
    """A pool on disk with all its caches."""

    folder: Path

    def config(self, *overrides: str) -> DictConfig:
        config = copy.deepcopy(composed(*overrides))
        config.pool.outcomes = config.paths.caches = str(self.folder)
        return config

    def predictor(self, name: str) -> DictConfig:
        chosen = OmegaConf.load(CONF / "experiment" / "semantic" / f"{name}.yaml").defaults
        options = {str(option) for entry in chosen for group, option in entry.items() if "@" not in group}
        smaller = [text for option in sorted(options & set(SMALLER)) for text in SMALLER[option]]
        return self.config(f"experiment=semantic/{name}", "pool.max_queries=null", *smaller)

    @functools.cached_property
    def data(self) -> RunData:
        return load_data(self.config())


class Given(Backend):
    """A backend that looks up what was made for each prompt; extraction and cache are the real ones."""

    def __init__(
        self, encoder: str, values: np.ndarray, prompts: Sequence[str], poolings: tuple[str, ...]
    ) -> None:
        self.values, self.poolings = values, poolings  # (N, layers, width)
        self.row = {self._ids(prompt).tobytes(): row for row, prompt in enumerate(prompts)}
        self.layer_ids = tuple(range(values.shape[1]))
        chat = "." not in encoder
        self.prompts = self._encode
        self._identity = CacheIdentity(
            encoder, "made", num_layers=values.shape[1] - 1, hidden_size=values.shape[2], compute_dtype="float32",
            storage_dtype="float32", prompt_format="chat" if chat else "plain", chat_template="none",
            chat_template_kwargs="{}", max_length=99,
        )  # fmt: skip

    @property
    def identity(self) -> CacheIdentity:
        return self._identity

    @property
    def versions(self) -> str:
        return "none"

    @staticmethod
    def _ids(prompt: str) -> np.ndarray:
        return np.frombuffer(prompt.encode(), np.uint8).astype(np.int32)

    def _encode(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        return [EncodedPrompt(self._ids(prompt), len(prompt), False) for prompt in prompts]

    def batches(self, lengths: np.ndarray) -> list[np.ndarray]:
        return [np.arange(len(lengths))] if len(lengths) else []

    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None: ...

    def read(
        self, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> Generator[Answer, None, None]:
        for batch in work:
            values = self.values[[self.row[ids.tobytes()] for ids in batch.token_ids]]
            yield batch.rows, dict.fromkeys(poolings, values[:, list(layer_ids)])


def make_world(
    folder: Path,
    permuted: bool = False,
    changed: int | None = None,
    twins: bool = False,
    flipped: int | None = None,
) -> World:
    """Queries whose vectors say much about their outcomes; one row may be another query in every respect.

    With `twins`, rows 2 p and 2 p + 1 are duplicates: equal prompts but for white space where p is even, a
    `near_dup_group` where it is odd. Of pair `flipped`, both have the opposite outcomes.
    """
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(NUM_QUERIES, 3, WIDTH)).astype(np.float32)
    chance = 1 / (1 + np.exp(-3 * vectors[:, 0, : len(TARGETS)] - vectors[:, 0, [3]]))
    correct = (rng.random(chance.shape) < chance).astype(float)
    numbers = np.abs(rng.normal(size=(NUM_QUERIES, 1, 5))).astype(np.float32)
    numbers[..., 4] = rng.random((NUM_QUERIES, 1))
    category = [f"c{int(vector[0, 0] > 0)}" for vector in vectors]
    prompts = [f"query {row}: what is {row} + {row % 7}?" for row in range(NUM_QUERIES)]
    if permuted:
        correct = correct[rng.permutation(NUM_QUERIES)]
    if changed is not None:
        vectors[changed] *= -30
        numbers[changed, 0, :4] += 50
        correct[changed] = 1 - correct[changed]
        category[changed] = "c0" if category[changed] == "c1" else "c1"
        prompts[changed] = "Else (nothing) is 1 \\frac{1}{2}. Is it not?"
    ids = [f"q{row}" for row in range(NUM_QUERIES)]
    unit = np.arange(NUM_QUERIES) // 2 if twins else np.arange(NUM_QUERIES)
    queries = pd.DataFrame(
        {"query_id": ids, "benchmark": [f"b{number % 2}" for number in unit], "category": category,
         "prompt": prompts, "split": np.where(unit % 10 < 3, "test", "train")}
    )  # fmt: skip
    if twins:
        for values in (vectors, numbers, correct):
            values[1::2] = values[::2]
        queries["category"] = queries["category"][unit * 2].to_numpy()
        prompts = [
            f" query\t{row - 1}: what  is {row - 1} + {(row - 1) % 7}?\n" if row % 4 == 1 else prompt
            for row, prompt in enumerate(prompts)
        ]
        queries["prompt"] = prompts
        queries["near_dup_group"] = [f"pair {number}" if number % 2 else None for number in unit]
    if flipped is not None:
        correct[2 * flipped : 2 * flipped + 2] = 1 - correct[2 * flipped : 2 * flipped + 2]
    outcomes = pd.DataFrame(
        {"query_id": np.repeat(ids, len(TARGETS)), "target": list(TARGETS) * NUM_QUERIES, "correct": correct.ravel(),
         "prompt_tokens": 10, "completion_tokens": 20}
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_outcomes(folder, queries, outcomes)
    made = {
        "toy": (vectors, ("last", "mean")),
        "embedder.toy": (vectors[:, :1], ("embedding",)),
        "language_model.toy": (numbers, ("perplexity",)),
    }
    for name, (values, poolings) in made.items():
        extract(Given(name, values, prompts, poolings), ids, prompts, folder)
    return World(folder)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., World]:
    """Makes another world; arguments as for `make_world`."""
    return lambda **kind: make_world(tmp_path_factory.mktemp("world"), **kind)


@pytest.fixture(scope="session")
def world(make: Callable[..., World]) -> World:
    return make()


@pytest.fixture(scope="session")
def permuted(make: Callable[..., World]) -> World:
    return make(permuted=True)


@pytest.fixture(scope="session")
def twins(make: Callable[..., World]) -> World:
    """Rows 2 p and 2 p + 1 are duplicates."""
    return make(twins=True)


@pytest.fixture(scope="session")
def flipped(make: Callable[..., World]) -> World:
    """The same, with the opposite outcomes of one pair."""
    return make(twins=True, flipped=PAIR)
