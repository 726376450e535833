"""Commands that messages name, read by the shell and by Hydra."""

import subprocess
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from prefillroute.caches.commands import GROUPS, run_words, with_own_facts
from prefillroute.caches.keys import extract_command
from prefillroute.cli.route import _split
from prefillroute.text import hints
from prefillroute.text.visible import hidden
from tests.hostile import NAMES, TEXTS


def words(line: str) -> list[str]:
    """The words that bash makes of a line."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def hydra_reads(word: str) -> object:
    """What a run gets as `pool.exclude`."""
    config = OmegaConf.create({"pool": {"exclude": None}})
    override = OverridesParser.create().parse_override(word)
    ConfigLoaderImpl._apply_overrides_to_config([override], config)
    return OmegaConf.to_object(config.pool.exclude)


def test_what_is_simple_stays_so() -> None:
    assert hints.exclude("gpt-4o", "openai/gpt-4o:free") == "pool.exclude=[gpt-4o,openai/gpt-4o:free]"
    assert hints.exclude("x (a=1, b=2)") == """'pool.exclude=["x (a=1, b=2)"]'"""
    assert hints.exclude("null", "1e3", "007") == """'pool.exclude=["null","1e3","007"]'"""
    assert hints.command("prefillroute", "report", Path("runs/a")) == "prefillroute report runs/a"


def test_every_name_can_be_left_out() -> None:
    line = hints.exclude(*NAMES)
    assert not any(map(hidden, line))
    (word,) = words(line)
    assert hydra_reads(word) == list(NAMES)


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_any_name_can_be_left_out(names: list[str]) -> None:
    line = hints.exclude(*names)
    assert not any(map(hidden, line))
    (word,) = words(line)
    assert hydra_reads(word) == names


@given(st.text(alphabet="\\\"'a $"))
def test_quotes_are_those_of_hydra(text: str) -> None:
    assert hints.hydra_quoted(text) == QuotedString(text=text, quote=Quote.double).with_quotes()


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_commands_reach_the_program_as_they_were(arguments: list[str]) -> None:
    line = hints.command("prefillroute", *arguments)
    assert not any(map(hidden, line))
    assert words(line) == ["prefillroute", *arguments]


def test_paths_are_no_options_and_keep_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    for path in (Path("-my runs/[1]"), Path("./-x"), Path("a'b\"c"), Path("caf\udce9")):
        found = words(hints.command("prefillroute", "report", path))[2]
        assert not found.startswith("-")
        assert Path(found) == path


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
def test_known_targets_win_over_commas(chosen: list[str]) -> None:
    assert _split(",".join(chosen), NAMES) == chosen
    assert _split(", ".join(chosen), NAMES) == chosen


def test_an_unknown_target_is_named_alone() -> None:
    known = ("small", "x (a=1, b=2)")
    assert _split("small,huge,x (a=1, b=2)", known) == ["small", "huge", "x (a=1, b=2)"]
    assert hints.listed([*known, 'a "b"', "c\n", " "]) == 'small, "x (a=1, b=2)", "a \\"b\\"", "c\\n", " "'


def test_a_cache_names_the_command_of_this_run() -> None:
    typed = [
        "pool.max_queries=50",
        "pool.exclude=['a b']",
        "head=linear",
        "encoder.name=toy",
        "paths.caches=my caches",
    ]
    choices = {"encoder": "qwen3", "pool": "mine", "embedder": "minilm"}
    run = run_words(OmegaConf.create({"runtime": {"choices": choices}, "overrides": {"task": typed}}))
    message = f"no cache; make it with {extract_command('toy')}"
    said = with_own_facts(message, run).removeprefix("no cache; make it with ")
    assert words(said) == [
        "prefillroute", "extract", "encoder=qwen3", "pool=mine", "pool.max_queries=50", "pool.exclude=['a b']",
        "encoder.name=toy", "paths.caches=my caches",
    ]  # fmt: skip
    embedding = with_own_facts(f"run {extract_command('embedder.other')}", run)
    assert embedding.startswith("run prefillroute embed embedder=minilm pool=mine pool.max_queries=50")
    assert set(run) == set(GROUPS)
