"""Rewordings leave the question as it is, and a router is measured on them live."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.paper.rewording.measured import Live, padding_error, shift
from experiments.paper.rewording.variants import VARIANTS
from prefillroute.router.router import Router
from prefillroute.routing.table import ConfidenceTable
from tests.router.conftest import PROMPTS, TARGETS, bundle, encoder_folder, fitted  # noqa: F401

QUESTION = "Which is 1,000?\n\nA. 3.5 km\nB. one thousand\nC. A. Smith"


@given(st.text(alphabet="aB 1.\n", min_size=1))
def test_numbers_and_words_stay(text):
    for name, rewrite in VARIANTS.items():
        if not name.startswith("instruction"):
            kept = "".join(rewrite(text).replace(")", ".").lower().split())
            assert sorted(kept) == sorted("".join(text.lower().split()))


def test_options_are_only_changed_where_the_text_ends_in_a_list_of_them():
    assert VARIANTS["options reversed"](QUESTION).splitlines()[2:] == [
        "A. A. Smith",
        "B. one thousand",
        "C. 3.5 km",
    ]
    assert VARIANTS["A) for A."](QUESTION).splitlines()[2:] == ["A) 3.5 km", "B) one thousand", "C) A. Smith"]
    for other in ("A. one\nC. two", "A. one", "A. one\nB. two\nExplain.", "B. one\nA. two"):
        assert VARIANTS["options reversed"](other) == VARIANTS["A) for A."](other) == other


@pytest.fixture(scope="module")
def live(bundle, fitted) -> Live:  # noqa: F811
    """Half of the toy's queries are test queries."""
    ids = np.array([f"q{row}" for row in range(len(PROMPTS))], dtype=object)
    split = np.where(np.arange(len(PROMPTS)) % 2, "test", "calibration").astype(object)
    cost = fitted.cost.estimate(len(PROMPTS), fitted.query_tokens)
    correct = (np.random.default_rng(0).random(cost.shape) < fitted.confidence).astype(float)
    names = tuple(target.name for target in TARGETS)
    table = ConfidenceTable(ids, split, ids, names, fitted.confidence, cost, cost, correct)
    return Live(Router.load(bundle), table, pd.DataFrame({"query_id": ids, "prompt": PROMPTS}))


def test_what_is_read_live_is_what_the_run_knew(live):
    rows = np.flatnonzero(live.run.split == "test")
    plain = live.read(rows, [PROMPTS[row] for row in rows])
    assert plain.part("test").confidence == pytest.approx(live.run.confidence[rows], abs=1e-4)
    known = live.table(rows, live.run.confidence[rows], live.run.cost_usd[rows])
    same = shift("same", known, plain, live.router, num_resamples=20)
    assert same.greatest < 1e-4
    assert same.moved_lambda0 == same.moved_chosen == 0
    changed = live.read(rows, [VARIANTS["blank before"](PROMPTS[row]) for row in rows])
    found = shift("blank before", plain, changed, live.router, num_resamples=20)
    change = np.abs(changed.part("test").confidence - plain.part("test").confidence)
    assert (found.num_texts, found.mean, found.greatest) == (len(rows), change.mean(), change.max())
    assert found.greatest > 1e-4
    moved = changed.part("test").confidence.argmax(axis=1) != plain.part("test").confidence.argmax(axis=1)
    assert found.moved_lambda0 == moved.mean()
    assert found.auc[1] <= found.auc[0] <= found.auc[2]


def test_padding_changes_nothing(live):
    rows = np.flatnonzero(live.run.split == "test")
    texts = [PROMPTS[row] * (1 + row % 3) for row in rows]
    assert padding_error(live, rows, texts, num_texts=6) < 1e-4
