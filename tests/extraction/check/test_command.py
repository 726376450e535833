"""`prefillroute encoder check` as a person meets it, and every encoder of conf/encoder as far as it is at hand."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from huggingface_hub import constants

from prefillroute.cli.encoders import encoder_names, read_encoders
from prefillroute.cli.main import main
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.check.compare import check_encoder, own_rows

SHIPPED = list(zip(encoder_names(), read_encoders(encoder_names()), strict=True))


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def own_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo: Path, **changes: object) -> None:
    """An encoder of a user's own, in the folder in which the command runs."""
    facts = {"name": "mine", "repo": str(repo), "num_layers": 4, "hidden_size": 32, "context_length": 2048}
    facts |= {"params_b": 4.2e-5, **changes}
    (tmp_path / "conf" / "encoder").mkdir(parents=True)
    (tmp_path / "conf" / "encoder" / "mine.yaml").write_text(json.dumps(facts))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("option", "facts"), SHIPPED, ids=[option for option, _ in SHIPPED])
def test_the_facts_of_every_encoder_agree(option: str, facts: EncoderConfig) -> None:
    """Among themselves; see also the next test."""
    assert own_rows(facts, option) == []


@pytest.mark.slow
@pytest.mark.parametrize(("option", "facts"), SHIPPED, ids=[option for option, _ in SHIPPED])
def test_the_facts_of_every_encoder_in_a_wheel_are_true(option: str, facts: EncoderConfig) -> None:
    if facts.wheel is None:
        pytest.skip("it is on the hub")
    try:
        metadata.distribution(facts.wheel)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{facts.wheel} is not installed")
    assert check_encoder(facts, option).differing == []


def test_a_table_and_the_status(toy_folder, tmp_path, monkeypatch, capsys) -> None:
    own_encoder(tmp_path, monkeypatch, toy_folder("llama"))
    assert main(["encoder", "check", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "LlamaModel" in printed
    assert "kv_numbers" in printed
    assert "not stated" in printed
    assert main(["encoder", "check", "mine", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert {
        "fact": "num_layers",
        "stated": 4,
        "found": 4,
        "source": "config.json",
        "verdict": "same",
        "note": "",
    } in (found["rows"])
    assert found["not_read"] is None


def test_a_wrong_fact_ends_in_status_1(toy_folder, tmp_path, monkeypatch, capsys) -> None:
    own_encoder(tmp_path, monkeypatch, toy_folder("llama"), num_layers=5, kv_numbers=1)
    capsys.readouterr()  # what the model's writer said
    assert main(["encoder", "check", "mine"]) == 1
    error = capsys.readouterr().err.strip()
    assert error == (
        "error: encoder check: expected facts as in the files, found 2 that differ: mine.num_layers, mine.kv_numbers; "
        "correct conf/encoder, or the files"
    )


def test_without_the_hub_one_line_says_so(toy_folder, tmp_path, monkeypatch, capsys) -> None:
    own_encoder(tmp_path, monkeypatch, toy_folder("llama"))
    capsys.readouterr()  # what the model's writer said
    assert main(["encoder", "check", "qwen35_08b", "gpt_oss_20b"]) == 1
    captured = capsys.readouterr()
    assert captured.out.count("not reached") == 1
    assert captured.out.startswith("not read: qwen35_08b, gpt_oss_20b: expected the small files")
    assert len(captured.err.strip().splitlines()) == 1
    # One that has a copy of the small files.
    assert main(["encoder", "check", "mine", "--folder", str(toy_folder("nemotron_h"))]) == 1
    assert "mine.context_length" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected names of encoders or --all, found neither"),
        (["qwen35_08b", "--all"], "expected names of encoders or --all, found both"),
        (["none_such"], "encoder: expected an option among gemma3_270m"),
        (["qwen35_08b", "gpt_oss_20b", "--folder", "."], "--folder: expected it with one encoder, found 2"),
        (
            ["qwen35_08b", "--folder", "nowhere"],
            "--folder: expected a folder with config.json, found no folder",
        ),
    ],
)
def test_mistakes_are_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encoder", "check", *words]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1


def test_help_leads_from_one_command_to_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    for words, wanted in (
        (["encoders"], "prefillroute encoder check NAME"),
        (["encoder"], "prefillroute encoders"),
    ):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        assert wanted in " ".join(capsys.readouterr().out.split())
