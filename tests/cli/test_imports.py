"""What answers at once imports neither PyTorch nor anything of its size: help, mistakes, `pool show`, `import`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from prefillroute.cli.main import make_parser

HEAVY = (
    "torch", "transformers", "sentence_transformers", "pytorch_lightning", "sklearn", "matplotlib", "wandb",
    "tensorboard", "xgboost", "faiss", "inspect_ai", "datasets",
)  # fmt: skip
CHILD = """
import contextlib, io, json, sys
from prefillroute.cli.main import main
lines, heavy = map(json.loads, sys.argv[1:])
seen, found, codes = set(), {}, []
for argv in lines:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            codes.append(main(argv))
        except SystemExit as left:
            codes.append(left.code or 0)
    new = {name for name in heavy if name in sys.modules} - seen
    seen |= new
    if new:
        found[" ".join(argv)] = sorted(new)
print(json.dumps([found, codes]))
"""


def commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from commands(command, (*words, name))


def run(folder: Path, lines: list[list[str]]) -> tuple[dict[str, list[str]], list[int]]:
    """The heavy modules by the command that brought them, and the exit statuses, all in one fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(lines), json.dumps(HEAVY)],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, codes = json.loads(done.stdout)
    return found, codes


def test_help_and_mistakes_import_nothing_heavy(tmp_path: Path) -> None:
    every = list(commands(make_parser()[0]))
    assert {("train",), ("route",), ("import", "csv"), ("pool", "show")} <= set(every)
    helps = [[*words, "--help"] for words in every] + [["--version"]]
    assert run(tmp_path, helps) == ({}, [0] * len(helps))
    mistakes = [[*words, "--no-such-option"] for words in every] + [
        ["train", "seed=0,1"], ["train", "sed=1"], ["train", "pool=no_such_pool"], ["pool", "show", "no_such_pool"],
        ["extract", "share.index=0,1"], ["extract", "extraction.num_shards=2"], ["embed", "embedder=no_such"],
        ["perplexity", "extraction=transformers"],
    ]  # fmt: skip
    found, codes = run(tmp_path, mistakes)
    assert found == {}
    assert 0 not in codes


def test_looking_at_a_pool_and_importing_a_log_import_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("prompt,target,correct\na,m0,1\na,m1,0\n")
    lines = [
        ["pool", "show", "starter"],
        ["pool", "check", "starter"],
        ["import", "csv", "log.csv", "--out", "data/mine"],
    ]
    assert run(tmp_path, lines) == ({}, [0, 0, 0])
