"""A misspelt key, option or argument is one line that names the allowed ones."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from prefillroute.config.build import build, check_arguments
from prefillroute.config.compose import compose_run
from prefillroute.config.overrides import explain_several
from prefillroute.config.search import conf_dir
from prefillroute.errors import UserError


@pytest.mark.parametrize(
    ("override", "found", "allowed"),
    [
        ("encoder=smolm2", "smolm2", "smollm2_135m"),
        ("encoder.hiden_size=3", "hiden_size", "hidden_size"),
        ("head.drpout=1", "drpout", "dropout"),
        ("encodr=smollm2_135m", "encodr", "encoder"),
        ("sed=1", "sed", "seed"),
        ("seed=abc", "seed", "abc"),
        ("pool.targets=[{nam: a}]", "found 'nam'", "TargetConfig: expected keys among name, price_in"),
        ("pool.correct_threshold=high", "correct_threshold", "high"),
    ],
)
def test_misspelt_override_names_the_allowed(override: str, found: str, allowed: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_run([override])
    message = str(caught.value)
    assert "\n" not in message
    assert found in message
    assert allowed in message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=0,1", "seed=0,1: expected one value, found several; run the command once for each"),
        (
            "seed=range(0,3)",
            "seed=range(0,3): expected one value, found several; run the command once for each",
        ),
        ("trainer.learning_rate=nan", "trainer.learning_rate: expected a number, found nan"),
        ("pool.correct_threshold=NaN", "pool.correct_threshold: expected a number, found nan"),
        ("num_folds=many", "num_folds: expected a whole number, found 'many'"),
        ("pool.correct_threshold=high", "pool.correct_threshold: expected a number, found 'high'"),
        ("report=maybe", "report: expected true or false, found 'maybe'"),
        ("num_folds=null", "num_folds: expected a value, found null"),
        ("seed==3", "seed==3: expected one '=', found more; write seed=3"),
        ("seed", "seed: expected KEY=VALUE"),
        (
            "paths.data=~/data",
            "paths.data=~/data: expected a path, found '~', which is not replaced here; write paths.data=$HOME/data",
        ),
    ],
)
def test_what_cannot_be_meant_gets_its_cause_and_the_way_out(override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_run([override])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pool.import_hint", text)
        for text in ("a=b", "what (is this", "it's", "[x", "x]", "a{b", "a,b", 'say "so"', "#1", "ü=ß")
    ]
    + [("pool.exclude", value) for value in ("[o3[high]]", "[claude(a)x,b]", "a,b")],
)
def test_the_quoting_that_a_message_proposes_works(key: str, value: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_run([f"{key}={value}"])
    proposed = next(
        word for word in shlex.split(str(caught.value).split("; ", 1)[1]) if word.startswith(f"{key}=")
    )
    found = OmegaConf.select(compose_run([proposed]), key)
    wanted = value.strip("[]") if key == "pool.exclude" else value
    if key == "pool.exclude":
        wanted = value[1:-1] if value.startswith("[") else value
        assert list(found) == wanted.split(",")
    else:
        assert found == wanted


def test_several_values_are_a_sweep_where_there_are_sweeps() -> None:
    said = explain_several("seed=0,1", sweeps=True, default=0)
    assert said == "seed=0,1: expected one value, found several; add -m for a sweep over them"


def test_misspelt_key_in_a_fact_file_is_refused_at_composition(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(conf_dir(), conf)
    path = conf / "encoder" / "smollm2_135m.yaml"
    path.write_text(path.read_text().replace("num_layers:", "num_layrs:"))
    with pytest.raises(UserError, match="num_layrs"):
        compose_run(conf=conf, overrides=["encoder=smollm2_135m"])


def test_misspelt_argument_of_a_choice_names_those_it_takes() -> None:
    node = OmegaConf.create({"_target_": "fractions.Fraction", "numeratr": 1})
    with pytest.raises(
        UserError, match=r"expected arguments among numerator, denominator.*, found 'numeratr'"
    ):
        check_arguments(node)


class Counted:
    """Takes numbers, and one thing that is none."""

    def __init__(
        self, count: int, share: float | None = None, exact: bool = False, name: object = "x"
    ) -> None:
        self.given = (count, share, exact, name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": "many"}, "Counted: argument 'count': expected a whole number, found 'many'"),
        ({"count": 1.5}, "Counted: argument 'count': expected a whole number, found 1.5"),
        ({"count": True}, "Counted: argument 'count': expected a whole number, found True"),
        ({"count": None}, "Counted: argument 'count': expected a whole number, found null"),
        ({"count": 1, "share": "half"}, "Counted: argument 'share': expected a number or null, found 'half'"),
        ({"count": 1, "share": [0.5]}, "Counted: argument 'share': expected a number or null, found [0.5]"),
        ({"count": 1, "exact": "yes"}, "Counted: argument 'exact': expected true or false, found 'yes'"),
    ],
)
def test_a_word_for_a_number_is_refused(given: dict, message: str) -> None:
    with pytest.raises(UserError) as caught:
        build(OmegaConf.create({"_target_": f"{__name__}.Counted", **given}))
    assert str(caught.value) == message


def test_numbers_of_any_kind_are_taken() -> None:
    for given in ((1, None, False, "a"), (np.int64(2), np.float32(0.5), True, ["a"]), (3, 1, False, None)):
        node = dict(zip(("count", "share", "exact", "name"), given, strict=True))
        assert build({"_target_": f"{__name__}.Counted", **node}).given == given


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"_target_: x\n\tb: 1\n",
            "line 2: expected YAML as in the files of conf/, found something else (found character '\\t' that",
        ),
        (
            b"a: [x\n",
            "line 2: expected YAML as in the files of conf/, found something else (expected ',' or ']'",
        ),
        (b"a: \0\n", "expected YAML as in the files of conf/, found something else (special characters are"),
        (b"a: 1\n# caf\xe9\n", "line 2: expected UTF-8, found byte 0xe9; save it as UTF-8"),
    ],
)
def test_an_option_file_that_is_no_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "head").mkdir(parents=True)
    (tmp_path / "conf" / "head" / "mine.yaml").write_bytes(content)
    with pytest.raises(UserError) as caught:
        compose_run(["head=mine"])
    assert str(caught.value).startswith(f"conf/head/mine.yaml: {message}")
    assert "\n" not in str(caught.value)


def test_a_runtime_value_that_the_target_does_not_take_is_a_mistake_of_ours() -> None:
    node = {"_target_": "fractions.Fraction", "_partial_": True, "numerator": 1}
    assert build(node, denominator=2) == 0.5
    with pytest.raises(AssertionError, match="Fraction: no argument 'unknown_to_it', which the run passes"):
        build(node, denominator=2, unknown_to_it=3)


def test_missing_target_is_said() -> None:
    with pytest.raises(UserError, match="_target_"):
        build({"rank": 3})
    with pytest.raises(UserError, match="expected a class that can be imported, found prefillroute"):
        build({"_target_": "prefillroute.heads.no_such.Head"})
