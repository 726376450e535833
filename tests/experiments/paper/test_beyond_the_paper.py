"""Parts of the study that the paper has not, on toy pools: groups left out, learning curves and transfer."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from experiments.paper.measured import Number
from experiments.paper.parts import learning, left_out, transfer
from experiments.paper.parts.learning import Curve, halves, verdicts
from experiments.paper.trained import Bench
from prefillroute.errors import UserError
from prefillroute.reports.run_table import read_confidence_table
from prefillroute.reports.style import styled
from prefillroute.router.router import Router
from tests.experiments.paper.two_toy_pools import HereAsked, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> HereAsked:
    return toy_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(autouse=True)
def inside(study, monkeypatch):
    """In the folder whose conf/ has the toy pools."""
    monkeypatch.chdir(study.out.parent)


def mean_auc(correct: pd.DataFrame, confidence: pd.DataFrame) -> float:
    return float(np.mean([roc_auc_score(correct[name], confidence[name]) for name in correct]))


def wide(path: Path, ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Outcomes and confidences of some queries from a file of predictions."""
    frame = pd.read_parquet(path).pivot(index="query_id", columns="target").loc[ids]
    return frame["correct"], frame["confidence"]


def test_a_category_is_left_out(study, monkeypatch, tmp_path):
    monkeypatch.setattr(left_out, "LABELS", ("category",))
    monkeypatch.setattr(left_out, "MOST", 1)
    with styled():
        section = left_out.run(study)
    queries = study.data.outcomes.queries.set_index("query_id")
    folder = study.folder / "tables" / "left_out"
    (path,) = folder.glob("prefill smollm2_135m without category 0-*.parquet")
    frame = pd.read_parquet(path)
    parts = frame.drop_duplicates("query_id").set_index("query_id")["split"]
    (left,) = set(queries["category"].loc[parts.index[parts == "test"]])
    # Nothing of the group is in any other part, and all of it is in the test part.
    assert left not in set(queries["category"].loc[parts.index[parts != "test"]])
    assert (queries["category"] == left).sum() == (parts == "test").sum()
    summary, prefill, _ = section.sheets
    row = prefill.frame[(prefill.frame["category"] == left) & (prefill.frame["metric"] == "mean_auc")].iloc[0]
    assert row["unseen"] == pytest.approx(mean_auc(*wide(path, parts.index[parts == "test"])))
    # The difference is over the queries that neither router was trained on.
    test = queries.index[study.data.split.test]
    shared = test[queries["category"].loc[test] == left]
    (seen,) = folder.glob("prefill smollm2_135m-*.parquet")
    wanted = mean_auc(*wide(seen, shared)) - mean_auc(*wide(path, shared))
    assert row["seen_minus_unseen"] == pytest.approx(wanted)
    assert (row["queries"], row["shared"]) == ((parts == "test").sum(), len(shared))
    assert row["training_queries"] == (parts == "train_oof").sum()
    mean = summary.frame.set_index(["router", "what", "metric"])["value"]
    assert mean["prefill smollm2_135m", "never saw the group", "mean_auc"] == row["unseen"]
    (other,) = folder.glob("sentence vectors without category 0-*.parquet")
    ahead = row["unseen"] - mean_auc(*wide(other, parts.index[parts == "test"]))
    both = mean["prefill smollm2_135m minus sentence vectors", "both never saw the group", "mean_auc"]
    assert both == pytest.approx(ahead)
    assert mean["constant predictor", "never saw the group", "mean_auc"] == 0.5
    # A prior that never saw a category knows no more than the constant predictor.
    assert mean["category prior", "never saw the group", "mean_auc"] == 0.5
    assert mean["category prior", "never saw the group", "relative_auc"] == 0.5
    page = section.write(tmp_path, study.pool).read_text()
    assert "each category left out" in page
    assert (tmp_path / "figures" / "left-out-category.png").is_file()


def test_which_groups_are_left_out():
    sizes = {"a": 40, "b": 31, "c": 29}
    queries = pd.DataFrame({"benchmark": np.repeat(list(sizes), list(sizes.values()))})
    queries["category"] = queries["benchmark"].map({"a": "x", "b": "y", "c": "z"})
    names, said = left_out.groups_of(queries, "benchmark")
    assert names == ["a", "b"]
    assert said == ["By benchmark, 1 smaller groups are not left out: c."]
    assert left_out.groups_of(queries, "category") == (
        [], ["By category nothing is left out: it divides the queries as benchmark does."],
    )  # fmt: skip
    names, said = left_out.groups_of(queries.assign(benchmark="one"), "benchmark")
    assert names == []
    assert "at least two groups are needed, and there are 1 with" in said[0]


def test_labels_are_learned_from(study, monkeypatch, tmp_path):
    monkeypatch.setattr(learning, "SEEDS", 2)
    monkeypatch.setattr(learning, "LEAST", 40)
    routers = learning.routers_of(study)
    two = {name: routers[name] for name in ("prefill smollm2_135m", "category prior")}
    monkeypatch.setattr(learning, "routers_of", lambda asked: two)
    with styled():
        section = learning.run(study)
    sizes = halves(len(study.data.split.train))
    frame = next(sheet for sheet in section.sheets if sheet.name == "learning_mean_auc").frame
    assert sorted(set(frame["training_queries"])) == sizes == [45, 90]
    values = frame.set_index(["router", "training_queries"])
    test = study.data.outcomes.queries["query_id"].to_numpy()[study.data.split.test]
    folder = study.folder / "tables" / "learning"
    subsets = sorted(folder.glob("prefill smollm2_135m on 45, seed *.parquet"))
    (whole,) = folder.glob("prefill smollm2_135m-*.parquet")
    aucs = [mean_auc(*wide(path, test)) for path in subsets]
    assert len(aucs) == 2
    row = values.loc[("prefill smollm2_135m", 45)]
    assert row["value"] == pytest.approx(np.mean(aucs))
    assert row["deviation_over_subsets"] == pytest.approx(np.std(aucs, ddof=1))
    doublings = section.sheets[0].frame.set_index(["router", "metric"])["gain"]
    gained = mean_auc(*wide(whole, test)) - np.mean(aucs)
    assert doublings["prefill smollm2_135m", "mean_auc"] == pytest.approx(gained)
    assert any(note.startswith("prefill smollm2_135m, from 45 to 90") for note in section.notes)
    assert section.write(tmp_path, study.pool).is_file()
    assert (tmp_path / "figures" / "learning.png").is_file()


@given(st.integers(1, 10**6))
def test_sizes_are_halves_of_each_other(num_train):
    sizes = halves(num_train)
    assert sizes[-1] == num_train
    assert all(small == large // 2 for small, large in pairwise(sizes))
    assert sizes[0] // 2 < learning.LEAST
    assert len(sizes) == 1 or sizes[0] >= learning.LEAST


def test_what_is_said_of_a_curve():
    def numbers(value: float, low: float, high: float):
        number = Number(value, np.linspace(low, high, 101))
        return dict.fromkeys(("mean_auc", "relative_auc", "hull_gain"), number)

    rising = Curve(
        {100: (numbers(0.6, 0.6, 0.6),), 200: (numbers(0.69, 0.69, 0.69),), 400: (numbers(0.7, 0.66, 0.74),)}
    )
    (said,) = verdicts({"a": rising})
    assert said.startswith("a, from 200 to 400 training queries: mean AUC no rise is shown (+0.0100 [")
    assert said.endswith("90 % of its AUC above 0.5 is reached with 200.")
    (said,) = verdicts({"a": Curve({100: (numbers(0.6, 0.5, 0.7),), 200: (numbers(0.9, 0.9, 1.1),)})})
    assert "mean AUC still rises (+0.3000 * [" in said


def test_a_router_is_transferred(study, tmp_path):
    with styled():
        section = transfer.run(study)
    values = section.sheets[0].frame.set_index(["router", "metric"])["value"]
    assert set(section.sheets[0].frame["targets"]) == {2}
    test = study.data.outcomes.queries["query_id"].to_numpy()[study.data.split.test]
    own = wide(study.folder / "runs" / "prefill-smollm2_135m" / "predictions.parquet", test)
    shared = ["middle", "dear"]
    assert values["trained here", "mean_auc"] == pytest.approx(mean_auc(own[0][shared], own[1][shared]))
    assert values["constant", "mean_auc"] == 0.5
    assert values["transferred", "mean_auc"] > 0.6  # both pools are of one making
    # Recalibrating reverses no target's order.
    assert values["recalibrated", "mean_auc"] == pytest.approx(values["transferred", "mean_auc"])
    assert section.write(tmp_path, study.pool).is_file()


def test_a_router_on_its_own_pool_says_what_its_run_said(study):
    folder = study.prefill("smollm2_135m")
    router = Router.load(folder / "router")
    test = read_confidence_table(folder).part("test")
    confidence = router.calibrator.transform(transfer.logits_on(router, study))[study.data.split.test]
    order = pd.Series(range(len(test)), index=test.query_id)
    rows = order.loc[study.data.outcomes.queries["query_id"].to_numpy()[study.data.split.test]].to_numpy()
    np.testing.assert_allclose(confidence, test.confidence[rows], atol=1e-5)


def test_pools_that_cannot_be_transferred_between(study):
    section = transfer.run(replace(study, others=("starter", "toy_a")))
    assert section.notes == (
        "From starter, smollm2_135m: expected 2 targets or more that both pools have, found none",
        "From toy_a, smollm2_135m: expected other queries than those of this pool, found that it has all of its test "
        "queries",
    )
    alone = transfer.run(replace(study, others=()))
    assert alone.notes == (
        "Nothing is transferred to this pool: expected two pools or more (--pools), found one.",
    )


def test_names_of_one_model_are_in_one_line():
    names = [name for line in transfer.read_same_models() for name in line]
    assert len(names) == len(set(names))
    same = transfer.same_models()
    assert same["Llama-3.1-8B-Instruct"] == same["Meta-Llama-3.1-8B-Instruct"]
    assert transfer.shared_targets(["a", "GPT-5.2"], ["gpt-5.2", "b"], same) == [(1, 0)]


def test_a_bench_keeps_what_it_trained_and_names_what_it_cannot(study, capsys):
    bench = Bench(study, "kept", replaced=("layers",))
    own = ("signal=category", "head=category_prior")
    first = bench.table("prior", *own)
    assert "prior: trained" in capsys.readouterr().out
    again = Bench(study, "kept", replaced=("layers",)).table("prior", *own)
    assert "trained" not in capsys.readouterr().out
    np.testing.assert_array_equal(first.confidence, again.confidence)
    bench.table("prior", *own, "head.smoothing=1")
    assert "prior: trained" in capsys.readouterr().out  # another configuration
    missing = ("signal=embedding", "head=logistic", "signal.embedder=mpnet")
    found, said = bench.tables({"prior": own, "vectors": missing})
    assert list(found) == ["prior"]
    assert said[0].startswith("vectors is left out: ")
    assert "prefillroute embed" in said[0]
    with pytest.raises(UserError, match="prefillroute embed"):
        bench.tables({"vectors": missing})
