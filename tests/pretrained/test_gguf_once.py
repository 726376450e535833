"""A GGUF file is parsed once for tokenizer, configuration and weights, and what is loaded is the same."""

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


def test_one_parse_and_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = compose_run(config_name="extract").encoder
    path = file_in_wheel(facts.wheel, facts.gguf_file, "encoder")
    parsed: list[str] = []
    parse = gguf.GGUFReader

    def counted(path: str, mode: str = "r") -> Any:
        parsed.append(path)
        return parse(path, mode)

    monkeypatch.setattr(gguf_once, "_PARSE", counted)
    words: dict[str, Any] = {"gguf_file": path.name}
    location = str(path.parent)
    tokenizer = pretrained(AutoTokenizer, "toy", location, **words)
    config = pretrained(AutoConfig, "toy", location, **words)
    model = pretrained(AutoModel, "toy", location, **words)
    assert len(parsed) == 1
    assert not gguf_once._parsed  # nobody holds the memory any longer
    monkeypatch.undo()
    monkeypatch.setattr(gguf, "GGUFReader", parse)
    plain = AutoModel.from_pretrained(location, **words)
    assert config.to_dict() == AutoConfig.from_pretrained(location, **words).to_dict()
    assert tokenizer("17 + 25")["input_ids"]
    for (name, ours), theirs in zip(model.state_dict().items(), plain.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name
