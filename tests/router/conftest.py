"""A small run's worth of fitted parts: a random llama, its activations, a head and a calibrator."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast

from prefillroute.calibration.platt import PlattCalibrator
from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.extraction.encoder import PrefillEncoder
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.layers.choice import Block
from prefillroute.layers.features import BlockTransform, fit_transform_groups
from prefillroute.layers.source import ArraySource
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.table import Outcomes
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.save import save_bundle
from prefillroute.routing.policies.lambda_policy import LambdaPolicy

TARGETS = (
    TargetConfig(name="small", price_in=0.1, price_out=0.3, endpoint="vendor/small"),
    TargetConfig(name="medium", price_in=0.5, price_out=1.5),
    TargetConfig(name="large", price_in=3.0, price_out=9.0),
)
PROMPTS = [f"add {1000 + 7 * i} and {3 * i}" if i % 2 else f"spell {i} backwards" for i in range(40)]


@dataclass(frozen=True)
class FittedRun:
    """What `save_bundle` takes, and what the bundle must give."""

    encoder: PrefillEncoder
    source: ArraySource
    query_tokens: np.ndarray
    transform: BlockTransform
    head: SharedTrunkNet
    calibrator: PlattCalibrator
    cost: CostModel
    logits: np.ndarray
    confidence: np.ndarray

    def save(self, path: Path, **changes: object) -> Path:
        rows = np.arange(5)
        parts = {
            "transform": self.transform,
            "head": self.head,
            "calibrator": self.calibrator,
            "cost": self.cost,
            "targets": TARGETS,
            "encoders": [(self.encoder.facts, self.encoder.identity)],
            "golden": GoldenVectors.take(
                self.source, self.transform.blocks, rows, self.logits[rows], self.confidence[rows]
            ),
            "policy": LambdaPolicy(0.3),
            "correct_threshold": 0.5,
            "fingerprint": {"seed": 0},
            "metrics": {"mean_auc": 0.7, "cost_at_best_single": float("nan")},
        }
        return save_bundle(path, **{**parts, **changes})


def write_encoder(folder: Path) -> None:
    special = ["<|pad|>", "<|user|>", "<|end|>", "<|assistant|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<|pad|>", extra_special_tokens=special[1:]
    )
    fast.chat_template = (
        "{% for message in messages %}<|user|>{{ message['content'] }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    fast.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=2,
            max_position_embeddings=64,
            initializer_range=0.5,
        )
        LlamaModel(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "toy"
    write_encoder(folder)
    return folder


@pytest.fixture(scope="session")
def fitted(encoder_folder: Path) -> FittedRun:
    facts = EncoderConfig(
        name="toy",
        repo=str(encoder_folder),
        num_layers=3,
        hidden_size=16,
        context_length=64,
        params_b=0.001,
    )
    encoder = PrefillEncoder(facts, ExtractionOptions(device="cpu", max_length=64))
    encoded = encoder.prompts(PROMPTS)
    pooled = [encoder.activations([prompt.token_ids]) for prompt in encoded]
    stack = {name: np.concatenate([one[name] for one in pooled]) for name in encoder.poolings}
    source = ArraySource.from_stack("toy", stack)
    query_tokens = np.array([prompt.query_tokens for prompt in encoded])

    blocks = (Block("toy", (2,), "last", 6), Block("toy", (1, 3), "mean", 5))
    features, transforms = fit_transform_groups(source, blocks, np.ones((1, len(PROMPTS)), dtype=bool))
    head = SharedTrunkNet(Layout(11), 3, num_members=4, seed=3, hidden=(12, 6)).eval().select(0, [2, 0])
    z = ensemble_logits(head, torch.from_numpy(features))[0].numpy()
    rng = np.random.default_rng(0)
    correct = (rng.random(z.shape) < [0.4, 0.6, 0.8]).astype(float)
    calibrator = PlattCalibrator().fit(z, correct)
    cost = TokenCost().fit(outcomes(correct, query_tokens), np.arange(len(PROMPTS)), TARGETS, query_tokens)
    return FittedRun(
        encoder, source, query_tokens, transforms[0], head, calibrator, cost, z, calibrator.transform(z)
    )


def outcomes(correct: np.ndarray, query_tokens: np.ndarray) -> Outcomes:
    unknown = np.full(correct.shape, np.nan)
    rng = np.random.default_rng(1)
    return Outcomes(
        queries=pd.DataFrame({"query_id": [f"q{i}" for i in range(len(correct))], "prompt": PROMPTS}),
        targets=tuple(target.name for target in TARGETS),
        correct=correct,
        prompt_tokens=20.0 + 2 * query_tokens[:, None] + rng.integers(0, 3, correct.shape),
        completion_tokens=rng.integers(50, 90, correct.shape).astype(float),
        latency_s=unknown,
        ttft_s=unknown,
        cost_usd=unknown,
    )


@pytest.fixture(scope="session")
def bundle(fitted: FittedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted.save(tmp_path_factory.mktemp("run") / "router")
