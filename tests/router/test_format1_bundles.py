"""Bundles of format 1 that users have decide today as they did when they were written."""

import json
from pathlib import Path

import numpy as np
import pytest

from prefillroute.readings.recorded import RecordedReadings
from prefillroute.router.decision import Decision
from prefillroute.router.router import Router, Scores
from prefillroute.routing.policies.lambda_policy import LambdaPolicy

BUNDLES = sorted(path.parent for path in Path(__file__).parent.glob("format1/*/router.json"))


@pytest.fixture(params=BUNDLES, ids=lambda path: path.name)
def bundle(request) -> Path:
    return request.param


@pytest.fixture
def expected(bundle):
    return json.loads((bundle / "expected.json").read_text())


def check(found: list[Decision], wanted: list[dict]) -> None:
    assert len(found) == len(wanted)
    for decision, values in zip(found, wanted, strict=True):
        own = decision.to_dict()
        for key in ("target", "endpoint", "query_tokens", "encoder_tokens", "truncated"):
            assert own[key] == values[key]
        if "=" in values["policy"]:  # otherwise it is a sentence, whose wording may change
            assert own["policy"] == values["policy"]
        # Float32 products may be summed in another order on another processor.
        for key, tolerance in (("confidence", 1e-6), ("cost_usd", 1e-15)):
            assert list(own[key]) == list(values[key])
            assert own[key] == pytest.approx(values[key], rel=0, abs=tolerance)


def scored(router: Router, expected: dict) -> Scores:
    """Scores of what `expected` has of a few queries: one array for each block, its layers side by side."""
    (entry,) = router.manifest.models
    cells = {}
    for block, rows in zip(router.predictor.signal.transform_.blocks, expected["activations"], strict=True):
        parts = np.split(np.asarray(rows, dtype=np.float32), len(block.layers), axis=1)
        cells |= {(layer, block.pooling): part for layer, part in zip(block.layers, parts, strict=True)}
    tokens = np.array(expected["query_tokens"])
    return router.score(
        RecordedReadings(
            len(tokens),
            cells={entry.reading: cells},
            num_layers={entry.reading: entry.identity.num_layers},
            tokens={entry.reading: tokens},
        )
    )


@pytest.mark.parametrize("policy", ["0", "0.3", "own"])
def test_decisions_are_those_of_the_version_that_wrote_it(bundle, expected, policy):
    router = Router.load(bundle)
    found = router.decide(
        scored(router, expected), policy=None if policy == "own" else LambdaPolicy(float(policy))
    )
    check(found, expected["decisions"][policy])


def test_a_choice_among_some_targets_is_the_same(bundle, expected):
    router = Router.load(bundle)
    found = router.decide(scored(router, expected), targets=["dear", "middle"])
    check(found, expected["decisions_dear_or_middle"])


def test_the_bundles_have_what_they_are_there_for():
    """All targets are chosen somewhere, so that a router that always says the same thing would not pass."""
    assert [path.name for path in BUNDLES] == ["guarded", "logistic", "trunk"]
    for name in ("logistic", "trunk"):
        decisions = json.loads((Path(__file__).parent / "format1" / name / "expected.json").read_text())[
            "decisions"
        ]
        assert {decision["target"] for decision in decisions["0"]} == {"cheap", "middle", "dear"}
        assert [d["target"] for d in decisions["0"]] != [d["target"] for d in decisions["0.3"]]
