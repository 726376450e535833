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
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.heads.ensemble import ensemble_logits
from prefillroute.heads.layout import Layout
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.layers.choice import Block
from prefillroute.layers.features import fit_transform_groups
from prefillroute.modes.single import Single
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.tokens import TokenCost
from prefillroute.outcomes.table import Outcomes
from prefillroute.predictors.single import SinglePredictor
from prefillroute.readings.contract import Reading
from prefillroute.readings.recorded import RecordedReadings
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.save import save_bundle
from prefillroute.routing.policies.lambda_policy import LambdaPolicy
from prefillroute.signals.prefill import PrefillSignal

TARGETS = (
    TargetConfig(name="small", price_in=0.1, price_out=0.3, endpoint="vendor/small"),
    TargetConfig(name="medium", price_in=0.5, price_out=1.5),
    TargetConfig(name="large", price_in=3.0, price_out=9.0),
)
PROMPTS = [f"add {1000 + 7 * i} and {3 * i}" if i % 2 else f"spell {i} backwards" for i in range(40)]


ENCODER = Reading("encoder", "toy")


@dataclass(frozen=True)
class FittedRun:
    """What `save_bundle` takes, and what the bundle must give."""

    encoder: TransformersBackend
    readings: RecordedReadings
    predictor: SinglePredictor
    calibrator: PlattCalibrator
    cost: CostModel
    logits: np.ndarray
    confidence: np.ndarray

    @property
    def query_tokens(self) -> np.ndarray:
        return self.readings.query_tokens(ENCODER)

    def golden(self, count: int = 5, off: float = 0.0) -> GoldenVectors:
        few = self.readings.select(np.arange(count))
        return GoldenVectors.take(self.predictor, few, self.logits[:count], self.confidence[:count] + off)

    def save(self, path: Path, **changes: object) -> Path:
        parts = {
            "predictor": self.predictor,
            "calibrator": self.calibrator,
            "cost": self.cost,
            "policy": LambdaPolicy(0.3),
            "targets": TARGETS,
            "models": lambda reading: (self.encoder.facts, self.encoder.identity),
            "golden": self.golden(),
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
    encoder = TransformersBackend(facts, ReadRequest(max_length=64), device="cpu")
    encoded = encoder.prompts(PROMPTS)
    pooled = [read_together(encoder, [prompt.token_ids]) for prompt in encoded]
    stack = {name: np.concatenate([one[name] for one in pooled]) for name in encoder.poolings}
    cells = {
        (layer, pooling): array[:, layer] for pooling, array in stack.items() for layer in encoder.layer_ids
    }
    query_tokens = np.array([prompt.query_tokens for prompt in encoded])
    columns = {
        "prompt": np.array(PROMPTS, dtype=object),
        "category": np.array([f"c{i % 2}" for i in range(len(PROMPTS))], dtype=object),
    }
    readings = RecordedReadings(
        len(PROMPTS), columns, {ENCODER: cells}, {ENCODER: 3}, {ENCODER: query_tokens}
    )
    blocks = (Block("toy", (2,), "last", 6), Block("toy", (1, 3), "mean", 5))
    everyone = np.ones((1, len(PROMPTS)), dtype=bool)
    features, transforms = fit_transform_groups(readings.source(ENCODER), blocks, everyone)
    signal = PrefillSignal(Single("toy"))
    signal.transform_, signal.num_features_, signal.layout_ = transforms[0], 11, Layout(11)
    head = SharedTrunkNet(signal.layout_, 3, num_members=4, seed=3, hidden=(12, 6)).eval().select(0, [2, 0])
    z = ensemble_logits(head, torch.from_numpy(features))[0].numpy()
    rng = np.random.default_rng(0)
    correct = (rng.random(z.shape) < [0.4, 0.6, 0.8]).astype(float)
    calibrator = PlattCalibrator().fit(z, correct)
    cost = TokenCost().fit(outcomes(correct, query_tokens), np.arange(len(PROMPTS)), TARGETS, query_tokens)
    return FittedRun(
        encoder, readings, SinglePredictor(signal, head), calibrator, cost, z, calibrator.transform(z)
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
