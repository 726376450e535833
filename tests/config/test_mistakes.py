"""A misspelt key, option or argument is one line that names the allowed ones."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from prefillroute.config.build import build, check_arguments
from prefillroute.config.compose import compose_run
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


def test_misspelt_key_in_a_fact_file_is_refused_at_composition(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(conf_dir(), conf)
    path = conf / "encoder" / "smollm2_135m.yaml"
    path.write_text(path.read_text().replace("num_layers:", "num_layrs:"))
    with pytest.raises(UserError, match="num_layrs"):
        compose_run(conf=conf, overrides=["encoder=smollm2_135m"])


def test_misspelt_argument_of_a_choice_names_those_it_takes() -> None:
    node = OmegaConf.create({"_target_": "fractions.Fraction", "numeratr": 1})
    with pytest.raises(UserError, match=r"no argument 'numeratr'; allowed are numerator, denominator"):
        check_arguments(node)


def test_build_passes_runtime_values_only_where_they_are_taken() -> None:
    node = {"_target_": "fractions.Fraction", "_partial_": True, "numerator": 1}
    assert build(node, denominator=2, unknown_to_it=3) == 0.5


def test_missing_target_is_said() -> None:
    with pytest.raises(UserError, match="_target_"):
        build({"rank": 3})
    with pytest.raises(UserError, match="cannot be imported"):
        build({"_target_": "prefillroute.heads.no_such.Head"})
