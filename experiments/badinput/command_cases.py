"""What is typed wrongly at `prefillroute train` and the others, and option files of a person's own in ``conf/``."""

import json

from experiments.badinput.case import Case
from experiments.badinput.damage import written
from experiments.badinput.tables import own_pool
from experiments.badinput.workspace import Workspace

CHEAP = ("signal=category", "head=constant", "report=false")


def _said(name: str, overrides: str | tuple[str, ...], wanted: str) -> Case:
    """A training that ends in one line."""
    words = (overrides,) if isinstance(overrides, str) else overrides
    return Case(name, lambda w: w.train(*CHEAP, *words), wanted)


def _own_head(name: str, text: str, wanted: str, option: str = "mine") -> Case:
    """A head's option file of a person's own."""
    return Case(
        f"own head: {name}",
        lambda w: w.train("signal=category", "report=false", f"head={option}"),
        wanted,
        written(f"conf/head/{option}.yaml", text.encode()),
    )


def _own_pool(name: str, text: bytes, wanted: str) -> Case:
    return Case(
        f"own pool: {name}",
        lambda w: w.command("pool", "show", "mine"),
        wanted,
        written("conf/pool/mine.yaml", text),
    )


def _threads(workspace: Workspace) -> list[str]:
    return ["/usr/bin/env", "OMP_NUM_THREADS=many", *workspace.command("pool", "show", "starter")]


_POOL = {
    "name": "mine",
    "outcomes": "data/tiny",
    "import_hint": "x",
    "targets": [{"name": "small"}, {"name": "large"}],
}

CASES = (
    Case(
        "train: nothing was imported yet",
        lambda w: w.command("train"),
        r"data/mmlu_pro.*make it with: .*prefillroute import mmlu-pro",
    ),
    Case(
        "train: --help (works)",
        lambda w: w.command("train", "--help"),
        "^pool: .*mine, .*starter",
        own_pool("mine"),
        status=0,
    ),
    Case(
        "train: an option that it lacks",
        lambda w: w.command("train", "--lambda=0.3"),
        "--lambda=0.3.*--multirun",
    ),
    _said(
        "train: a forgotten -m", "seed=0,1", "seed=0,1: expected one value, found several; add -m for a sweep"
    ),
    _said("train: a forgotten -m for a group", "calibration=platt,none", "calibration=platt,none: .*add -m"),
    _said(
        "train: several names without brackets",
        "pool.exclude=small,large",
        r"pool.exclude=\[small,large\]' for a list",
    ),
    _said(
        "train: a learning rate of NaN",
        "trainer.learning_rate=nan",
        "trainer.learning_rate: expected a number, found nan",
    ),
    _said("train: a value with = in it", "pool.import_hint=a=b", r"'pool\.import_hint=\"a=b\"'"),
    _said("train: two =", "seed==3", "seed==3: expected one '=', found more; write seed=3"),
    _said("train: no =", "seed", "seed: expected KEY=VALUE"),
    _said(
        "train: a home folder that no shell has filled in",
        "paths.data=~/data",
        r"write paths\.data=\$HOME/data",
    ),
    _said("train: unknown key", "sed=1", "expected .* among .*seed.*, found 'sed'"),
    _said(
        "train: a key added that no head has", "+head.width=3", "expected arguments among .*, found 'width'"
    ),
    _said(
        "train: an optimizer that is none",
        "trainer.optimizer=sgd",
        "trainer.optimizer: expected one of adam, adamw, found 'sgd'",
    ),
    _said(
        "train: ranked on what is no part",
        "trainer.ranked_on=x",
        "trainer.ranked_on: expected one of validation, calibration, found 'x'",
    ),
    _said(
        "train: more members kept than trained",
        "trainer.num_kept=99",
        "trainer.num_kept: expected at most .*found 99",
    ),
    _said("train: no threads", "threads=0", "threads: expected 1 or more, or null, found 0"),
    _said("train: a word for threads", "threads=all", "threads.*all"),
    _said(
        "train: a guard below zero",
        "policy.guard=-1",
        "policy.guard: expected a number of at least 0 .*found -1",
    ),
    _said("train: a guard of NaN", "policy.guard=nan", "policy.guard: expected a number, found nan"),
    _said(
        "train: a guard of infinity",
        "policy.guard=inf",
        "policy.guard: expected a number of at least 0 .*found inf",
    ),
    _said("train: a word for a guard", "policy.guard=strict", "guard.*strict"),
    _said("train: lambda of NaN", "policy.lambda_=nan", "policy.lambda_: expected a number, found nan"),
    _said("train: a word for lambda", "policy.lambda_=cheap", "lambda.*cheap"),
    _said(
        "train: a word for a learning rate",
        "trainer.learning_rate=fast",
        "argument 'learning_rate': expected a number, found 'fast'",
    ),
    _said(
        "train: half an epoch",
        "trainer.max_epochs=2.5",
        "argument 'max_epochs': expected a whole number, found 2.5",
    ),
    Case(
        "train: an option without its value",
        lambda w: w.command("train", "pool=starter", "--cfg"),
        "prefillroute train: argument --cfg",
    ),
    Case(
        "extract: several encoders at once",
        lambda w: w.extract("encoder=smollm2_135m,smollm2_135m_hub"),
        "found several; add -m for a sweep over them",
    ),
    Case(
        "pool show: no pool named",
        lambda w: w.command("pool", "show"),
        "pool show: .*required: POOL|pool show: .*POOL",
    ),
    Case(
        "pool show: a threshold of NaN",
        lambda w: w.command("pool", "show", "starter", "pool.correct_threshold=NaN"),
        "pool.correct_threshold: expected a number, found nan",
    ),
    Case("pool show: OMP_NUM_THREADS that is no number (works)", _threads, "pool starter", status=0),
    Case("import: no --out", lambda w: w.command("import", "csv", "log.csv"), "import csv: .*--out"),
    Case(
        "import: no such layout", lambda w: w.command("import", "excel", "log.xlsx"), "'excel'.*csv.*mmlu-pro"
    ),
    _own_head(
        "a name that is taken",
        "_target_: mine.Head\n",
        r"conf/head/logistic\.yaml: expected a new name, found 'logistic', .*conf/head/my_logistic\.yaml",
        "logistic",
    ),
    _own_head(
        "a class that is nowhere", "_target_: mine.Head\n", r"_target_: expected a class .*, found mine\.Head"
    ),
    _own_head(
        "a misspelt argument",
        "_target_: prefillroute.heads.logistic.LogisticHead\n_partial_: true\nridge: 1\n",
        "expected arguments among .*, found 'ridge'",
    ),
    _own_head(
        "no _target_", "width: 3\n", "_target_: expected the path of a class, found only the keys width"
    ),
    _own_head("a tab where YAML has blanks", "_target_: x\n\tb: 1\n", r"conf/head/mine\.yaml"),
    _own_head("a bracket that is never closed", "_target_: [x\n", r"conf/head/mine\.yaml"),
    Case(
        "own head: a copy under its own name (works)",
        lambda w: w.train("signal=category", "report=false", "head=mine"),
        "best single target",
        written(
            "conf/head/mine.yaml",
            b"# mine\n_target_: prefillroute.heads.constant.ConstantHead\n_partial_: true\n",
        ),
        status=0,
    ),
    _own_pool(
        "a key that pools lack",
        json.dumps(_POOL | {"exlude": []}).encode(),
        r"conf/pool/mine\.yaml: expected keys among .*exclude.*, found 'exlude'",
    ),
    _own_pool(
        "a target's key that targets lack", json.dumps(_POOL | {"targets": [{"nam": "a"}]}).encode(), "nam"
    ),
    _own_pool(
        "no outcomes",
        json.dumps({key: value for key, value in _POOL.items() if key != "outcomes"}).encode(),
        "outcomes",
    ),
    _own_pool("empty", b"", "name|outcomes|targets"),
    _own_pool(
        "a price that is a word",
        json.dumps(_POOL | {"targets": [{"name": "a", "price_in": "cheap"}]}).encode(),
        "price_in.*cheap|cheap.*Float",
    ),
    _own_pool("not UTF-8", json.dumps(_POOL).encode() + b"# caf\xe9\n", r"conf/pool/mine\.yaml"),
    Case(
        "own pool: the wrong suffix",
        lambda w: w.command("pool", "show", "mine"),
        r"pool: expected an option among .*starter.*, found 'mine'; .*conf/pool/NAME\.yaml in the current folder",
        own_pool("mine", file="conf/pool/mine.yml"),
    ),
)
