"""Every hint that a message gives is followed, in a workspace whose names and folders nobody expects."""

import argparse
import ast
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf

from experiments.badinput.workspace import Workspace
from prefillroute.caches.commands import run_words, with_own_facts
from prefillroute.caches.keys import cache_path, shards_folder
from prefillroute.caches.reader import ActivationCache
from prefillroute.cli.main import main
from prefillroute.cli.parsers import import_outcomes
from prefillroute.config.compose import compose_run
from prefillroute.config.search import conf_dir
from prefillroute.outcomes.files import read_outcomes
from prefillroute.text import hints
from tests.hostile import NAMES, pool_override

ROOT = Path(__file__).resolve().parents[2]
POOLS = sorted(path.stem for path in (conf_dir() / "pool").glob("*.yaml"))
SHOW = ("pool", "show", "mmlu_pro_six", "pool.name=tiny", "pool.outcomes=data/tiny")


def words(line: str) -> list[str]:
    """The words that bash makes of a line."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def follow(line: str) -> None:
    """Run a command line of ours as a shell would."""
    program, *arguments = words(line)
    assert program == "prefillroute", line
    assert main(arguments) == 0, line


@pytest.fixture
def message(capsys):
    """The one line that a command says when it fails."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(list(arguments)) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        return said.removeprefix("error: ").removesuffix("\n")

    return run


def test_targets_without_outcomes_are_left_out(own_copy, message):
    absent = ("vllm/y (a=1, b=2)", "it's [new]\n${x}")
    show = [*SHOW, pool_override((*NAMES, *absent))]
    hint = re.search(r"leave out what it lacks with (.*)$", message(*show))[1]
    assert main([*show, *words(hint)]) == 0
    # What the pool leaves out already stays out.
    show = [*SHOW, pool_override((*NAMES, *absent)), *words(hints.exclude(NAMES[0], absent[1]))]
    hint = re.search(r"leave out what it lacks with (.*)$", message(*show))[1]
    assert main([*show[:-1], *words(hint)]) == 0


def test_a_table_is_made_as_the_skeleton_says(own_copy, message):
    skeleton = yaml.safe_load((own_copy.data / "pool.yaml").read_text(encoding="utf-8"))
    for path in own_copy.data.glob("*.parquet"):
        path.unlink()
    show = [*SHOW, pool_override(), f"pool.import_hint={hints.hydra_value(skeleton['import_hint'])}"]
    follow(message(*show).partition("; make it with: ")[2])
    assert main(show) == 0


def test_a_cache_is_made_and_mended_as_the_message_says(own_copy, message):
    check = ("route", "--check", "runs/first", "--check-texts", "4")
    cache = cache_path(own_copy.caches, "toy")
    cache.unlink()
    follow(message(*check).partition("; make it with ")[2])
    assert main(list(check)) == 0
    cache.write_bytes(cache.read_bytes()[:3000])
    said = message(*check)
    assert "rebuilds it" in said, said
    follow(re.search(r"run (prefillroute .*), which rebuilds it", said)[1])
    assert main(list(check)) == 0
    shard = next(shards_folder(cache).glob("*.h5"))
    shard.write_bytes(shard.read_bytes()[:-100])
    said = message(*check)
    assert "delete this file" in said
    Path(said.partition(": ")[0]).unlink()
    follow(re.search(r"run (prefillroute .*?)(, which|$)", said)[1])
    assert main(list(check)) == 0


def test_a_layer_is_added_as_the_message_says(own_copy):
    facts = [*own_copy.facts(), pool_override(), "paths.caches=other"]
    assert main(["extract", *facts, "request.layers=[1]"]) == 0
    view = ActivationCache(cache_path(Path("other"), "toy"))
    queries = view.select(*queries_of(own_copy))
    with pytest.raises(ValueError, match="layer 2 with pooling mean is not cached") as caught:
        queries.read(2, "mean")
    choices = {"encoder": "smollm2_135m_hub", "pool": "mmlu_pro_six"}
    run = run_words(OmegaConf.create({"runtime": {"choices": choices}, "overrides": {"task": facts}}))
    follow(with_own_facts(str(caught.value), run).partition("; add it with ")[2])
    again = ActivationCache(cache_path(Path("other"), "toy")).select(*queries_of(own_copy))
    assert again.read(2, "mean").shape == (len(again.query_ids), again.hidden_size)


def queries_of(workspace: Workspace) -> tuple[list[str], list[str]]:
    queries = read_outcomes(workspace.data).queries
    return queries["query_id"].tolist(), queries["prompt"].tolist()


def test_a_run_without_a_cache_names_its_own_facts(own_copy):
    cache_path(own_copy.caches, "toy").unlink()
    command = [*own_copy.train(pool_override()), 'hydra.run.dir="runs/second run [x]"']
    said = failing(own_copy, command)
    follow(re.search(r"; make it with (prefillroute extract .*)$", said)[1])
    done = subprocess.run(
        command, cwd=own_copy.root, env=own_copy.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (own_copy.root / "runs" / "second run [x]" / "report.html").exists()


def test_a_target_that_cannot_be_costed_is_left_out(own_copy):
    lost = "openai/o3 (reasoning_effort=high, reasoning_tokens=1000)"
    path = own_copy.data / "outcomes.parquet"
    table = pd.read_parquet(path)
    columns = ["prompt_tokens", "completion_tokens"]
    table[columns] = table[columns].mask(table["target"] == lost)
    table.to_parquet(path, index=False)
    command = own_copy.train(pool_override(), "signal=category", "head=constant")
    hint = re.search(r"leave it out with (.*)$", failing(own_copy, command))[1]
    done = subprocess.run(
        [*command, *words(hint)], cwd=own_copy.root, env=own_copy.environment(), capture_output=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def failing(workspace: Workspace, command: list[str]) -> str:
    """The one line that a training says when it fails."""
    done = subprocess.run(
        command, cwd=workspace.root, env=workspace.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


def test_a_target_without_a_provider_is_left_out(own_copy, message):
    pytest.importorskip("inspect_ai")
    Path("ask.csv").write_text("prompt,answer\nx,y\n")
    local = ",provider:local,endpoint:x,base_url:'http://127.0.0.1:9',mode:direct"
    pool = pool_override(("a", "b"), local)[:-1] + ",{name:" + hints.hydra_value(NAMES[5]) + "}]"
    command = [
        "collect",
        "pool=starter",
        pool,
        "benchmark=file",
        "benchmark.path=ask.csv",
        "out=out",
        "--dry-run",
    ]
    hint = re.search(r"leave the target out with (.*)$", message(*command))[1]
    assert main([*command[:-1], *words(hint), command[-1]]) == 0


@pytest.mark.parametrize("pool", POOLS)
def test_the_tables_of_pools_that_ship(pool, tmp_path):
    """The tables are on the net; what is to be run on them is a command, and fills the pool's own folder."""
    config = compose_run([f"pool={pool}", f"paths.data={tmp_path / 'my data'}"], config_name="pool").pool
    if str(config.outcomes).startswith("pkg://"):
        assert (ROOT / "experiments" / "starter_pool" / "__main__.py").exists()
        assert config.import_hint == "python -m experiments.starter_pool"
        return
    parser = argparse.ArgumentParser()
    import_outcomes.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(shlex.split(config.import_hint.partition("prefillroute ")[2]))
    assert arguments.out == Path(config.outcomes)


def test_parts_of_the_package_that_messages_name_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {call.args[0].value for call in calls_of("install")}
    assert named
    assert named <= set(extras)


def test_no_message_spells_a_command_itself():
    """Commands and overrides of messages come from `text.hints`, so that the tests here reach them all."""
    command = re.compile(
        r"prefillroute (extract|embed|perplexity|import|pool|report|collect) [\w.-]+[= ]|pip install|pool\.exclude=\["
    )
    spelt = []
    for path in sorted((ROOT / "prefillroute").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        helps = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg in ("help", "epilog", "description")
            for inner in ast.walk(node.value)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in docs | helps and command.search(node.value):
                spelt.append(path.relative_to(ROOT).as_posix())
    assert set(spelt) <= {"prefillroute/text/hints.py", "prefillroute/caches/commands.py"}


def calls_of(name: str) -> list[ast.Call]:
    """Calls of a function of `hints` in the package."""
    return [
        node
        for path in (ROOT / "prefillroute").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "hints"
    ]


def test_an_override_of_the_run_folder_reaches_hydra() -> None:
    for folder in ("runs/[a] b", "-runs/it's", "runs/${x}=1,2"):
        (word,) = words(hints.override("hydra.sweep.dir", folder))
        config = compose_run([word.replace("hydra.sweep.dir", "paths.runs")], config_name="config")
        assert OmegaConf.to_object(config.paths).runs == folder
