import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.extraction.run import extract
from prefillroute.readings.cached import CachedReadings, CacheLibrary
from prefillroute.router.parity import check_parity, compare
from prefillroute.router.router import Router
from tests.router.conftest import PROMPTS


@pytest.fixture(scope="module")
def readings(fitted, tmp_path_factory):
    """The run's queries from a cache that extraction filled."""
    caches, ids = tmp_path_factory.mktemp("caches"), [f"q{i}" for i in range(40)]
    extract(fitted.encoder, ids, PROMPTS, caches)
    queries = pd.DataFrame({"query_id": ids, "prompt": PROMPTS})
    return CachedReadings(CacheLibrary(caches, queries, lambda *_: fitted.encoder.facts, "toy"))


def predictions(fitted, confidence: np.ndarray, price: float = 1.02) -> pd.DataFrame:
    rows = [
        {
            "query_id": f"q{i}",
            "target": target,
            "split": "test",
            "confidence": confidence[i, m],
            "cost_usd": fitted.cost.estimate(len(fitted.query_tokens), fitted.query_tokens)[i, m] * price,
        }
        for i in range(40)
        for m, target in enumerate(("small", "medium", "large"))
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_a_bundle_agrees_with_its_own_run(bundle, fitted, readings):
    report = compare(Router.load(bundle), readings, predictions(fitted, fitted.confidence), 9)
    assert report.passed
    assert report.cached_error < 1e-6
    assert (report.num_cached, report.num_texts) == (40, 9)
    assert report.agreement == {"0": 1.0, "0.3": 1.0, "0.7": 1.0}
    assert report.cost_error == pytest.approx(0.02 / 1.02)
    assert report.lines()[-1] == "parity holds"


def test_a_bundle_of_another_run_is_found_out(bundle, fitted, readings):
    other = fitted.confidence[:, ::-1]
    report = compare(Router.load(bundle), readings, predictions(fitted, other), 4)
    assert not report.passed
    assert report.cached_error == pytest.approx(np.abs(other - fitted.confidence).max())
    assert report.lines()[-1] == "parity FAILS"
    assert report.to_dict()["passed"] is False


def test_one_confidence_of_one_query_is_found_out(bundle, fitted, readings):
    other = fitted.confidence.copy()
    other[39, 1] += 0.25
    report = compare(Router.load(bundle), readings, predictions(fitted, other), 3)
    assert not report.passed
    assert report.cached_error == pytest.approx(0.25, abs=1e-6)
    assert report.text_error == pytest.approx(0.25, abs=1e-3)
    assert compare(Router.load(bundle), readings, predictions(fitted, other), 0).text_error == 0.0


def test_costs_are_compared_absolutely_where_the_run_had_none(bundle, fitted, readings):
    report = compare(Router.load(bundle), readings, predictions(fitted, fitted.confidence, 0.0), 1)
    assert report.cost_error == pytest.approx(
        np.median(fitted.cost.estimate(len(fitted.query_tokens), fitted.query_tokens)[:40])
    )


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected the folder of a finished run"):
        check_parity(tmp_path)
