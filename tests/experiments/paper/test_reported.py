"""The paper's own figures: they are those of its text, they add up but for the slips that notes name, and are found."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from experiments.paper.reported import Compared, beside_paper, paper_notes, paper_of, reported, router_name
from experiments.paper.sheet import Sheet
from prefillroute.config.compose import compose_run
from prefillroute.reports.catalogue import FORMS, Metric

POOLS = ("frontier", "small", "mixed")
TEXT = os.environ.get("PREFILLROUTE_PAPER")
"""The paper as plain text, where someone has it."""


def numbers(node: object) -> list[float]:
    if isinstance(node, dict):
        return [number for value in node.values() for number in numbers(value)]
    if isinstance(node, list):
        return [number for value in node for number in numbers(value)]
    return [node] if isinstance(node, int | float) else []


def noted(*words: str) -> bool:
    return any(all(word in note["found"] for word in words) for note in reported()["notes"])


@pytest.mark.skipif(TEXT is None, reason="PREFILLROUTE_PAPER names no text of the paper")
def test_every_figure_is_in_the_text() -> None:
    text = Path(str(TEXT)).read_text(encoding="utf-8").replace(",", "")
    printed = {abs(float(number)) for number in re.findall(r"\d+(?:\.\d+)?", text)}
    tables = {key: value for key, value in reported().items() if key not in ("notes", "names")}
    found = [abs(number) for number in numbers(tables)]
    assert len(found) > 950
    missing = [number for number in found if not {number, round(100 * number, 2)} & printed]
    assert missing == []


def test_consensus_classes_add_up_and_the_slips_are_noted() -> None:
    for pool, row in reported()["consensus"].items():
        assert row["all_correct"] + row["all_wrong"] + row["disagreement"] == row["complete"]
        for name in ("all_correct", "all_wrong", "disagreement"):
            right = abs(row[name] / row["complete"] - row[f"{name}_share"]) <= 0.00005001
            assert right == ((pool, name) != ("frontier", "all_correct"))
        assert abs(1 - row["all_wrong"] / row["complete"] - row["oracle"]) > 0.001  # in no pool
        assert noted(f"{100 * row['oracle']:.2f}", f"{100 - 100 * row['all_wrong'] / row['complete']:.2f}")
    assert noted("24.26", "24.36")


@pytest.mark.parametrize("pool", POOLS)
def test_differences_of_table_6_are_differences(pool: str) -> None:
    table = reported()["global"][pool]
    base = table["pool"]
    for router in table["routers"].values():
        assert router["p_auccc"] - base["p_auccc_models"] == pytest.approx(router["mdp_auccc"], abs=1.6e-4)
        assert base["efficacy_models"] - router["efficacy"] == pytest.approx(
            router["efficacy_gain"], abs=1.6e-4
        )


def test_the_abstract_follows_from_the_tables() -> None:
    table = reported()["global"]["frontier"]
    base, trunk = table["pool"], table["routers"]["SharedTrunkNet"]
    assert round(100 * (trunk["p_auccc"] / base["p_auccc_models"] - 1), 2) == 14.67
    assert round(100 * (1 - trunk["efficacy"] / base["efficacy_models"]), 2) == 53.62
    assert round(0.109 / (base["oracle_accuracy"] - base["best_single_accuracy"]), 3) == 0.456
    assert trunk["paper_cost_savings"] == 0.743


@pytest.mark.parametrize("pool", POOLS)
def test_headroom_is_gain_over_what_there_is_to_gain(pool: str) -> None:
    table = reported()["global"][pool]
    room = table["pool"]["oracle_accuracy"] - table["pool"]["best_single_accuracy"]
    for router in table["routers"].values():
        gain = router["paper_accuracy_gain"]
        least, greatest = (gain - 0.0005) / (room + 0.001), (gain + 0.0005) / (room - 0.001)
        assert least - 0.0005 <= router["paper_headroom_captured"] <= greatest + 0.0005


def test_gains_that_lost_their_sign_are_noted() -> None:
    """At the best point of the sweep a gain cannot be far below that at lambda 0, nor far above it."""
    odd = []
    for pool in POOLS:
        best = reported()["global"][pool]["pool"]["best_single_accuracy"]
        for name, router in reported()["global"][pool]["routers"].items():
            at_0 = reported()["architectures"][pool][name]["routed_accuracy_lambda0"] - best
            if abs(at_0 - router["paper_accuracy_gain"]) > 0.007:
                odd.append((pool, name))
                assert abs(at_0 + router["paper_accuracy_gain"]) < 0.001  # the sign alone
                assert noted(name, "sign") or noted(name, "probably the same")
    assert odd == [("mixed", "[qwen-0.6] 5_emb_MT (platt)"), ("mixed", "[nv-embed-v2] 5_emb_MT (percentile)")]


@pytest.mark.parametrize("pool", POOLS)
def test_means_of_rows_and_of_table_3(pool: str) -> None:
    table = reported()["per_target"][pool]
    for key in ("auc", "brier"):
        for name, row in table[key].items():
            assert len(row["targets"]) == len(table["targets"])
            assert np.mean(row["targets"]) == pytest.approx(row["mean"], abs=1.0001e-4)
            of_3 = reported()["architectures"][pool].get(name)
            assert of_3 is None or of_3[f"mean_{key}"] == row["mean"]
    encoders = reported()["encoder_auc"][pool]["encoders"]
    best = np.max(list(encoders.values()), axis=0).mean()
    trunk = reported()["architectures"][pool]["SharedTrunkNet"]["mean_auc"]
    assert trunk > best + 0.005
    assert noted(f"{trunk:.4f}", f"{best:.4f}")


def test_who_is_best_on_every_target_is_noted() -> None:
    ahead = {}
    for pool in POOLS:
        encoders = reported()["encoder_auc"][pool]["encoders"]
        best = np.argmax(list(encoders.values()), axis=0)
        ahead[pool] = [list(encoders)[index] for index in best].count("Qwen3.5-122B")
    assert ahead == {"frontier": 11, "small": 9, "mixed": 9}
    assert noted("Qwen3.5-35B", "11 of 20")


@pytest.mark.parametrize("pool", POOLS)
def test_every_target_has_its_names_in_every_table(pool: str) -> None:
    targets = [target.name for target in compose_run([f"pool={pool}"]).pool.targets]
    assert set(reported()["names"]["targets"][pool]) == set(targets)
    paper = paper_of(pool, targets)
    assert paper is not None
    encoders = reported()["names"]["encoders"]
    aucs = {paper.encoder_auc(encoder, target) for encoder in encoders for target in targets}
    assert None not in aucs
    router = next(iter(reported()["per_target"][pool]["auc"]))
    found = [paper.per_target(router, "auc", target) for target in targets]
    assert sorted(found) == sorted(reported()["per_target"][pool]["auc"][router]["targets"])
    assert None not in found


def test_numbers_are_found_by_our_names() -> None:
    targets = list(reported()["names"]["targets"]["frontier"])
    paper = paper_of("frontier", targets)
    assert paper.encoder_auc("qwen35_122b", "kimi-k2-0905") == 0.8511
    assert paper.encoder_auc("smollm2_135m", "kimi-k2-0905") is None
    ours = router_name("5_emb_mt", "nv_embed_v2", "percentile")
    assert paper.per_target(ours, "brier", "openrouter") == 0.1785
    assert paper.of_router(ours, "mdp_auccc") == -0.0135
    assert paper.architecture("SharedTrunkNet", "mean_brier") == 0.1509
    raw = router_name("x_mirt_2pl_d10", "mpnet", "none")
    assert paper.per_target(raw, "auc", "glm-4.6") == 0.7642  # printed without a calibration
    assert paper.consensus("disagreement") == 5944
    part = paper_of("frontier", targets[:-1])
    assert part.of_pool("oracle_accuracy") is None
    assert part.per_target(ours, "brier", "openrouter") == 0.1785
    assert "10 targets" in paper_notes(part)[-1]
    assert paper_of("starter", targets) is None


def test_ours_theirs_and_the_difference() -> None:
    sheet = Sheet("t", "Title", ("router",), (), None)
    share, score = (Metric("m", "m", FORMS[form], "higher") for form in ("percent", "decimal"))
    compared = [
        Compared("a", "gain", share, 0.5, 0.25),
        Compared("a", "auc", score, 0.70119, 0.8),
        Compared("b", "gain", share, 0.5, None),
        Compared("c", "auc", score, None, 0.8),
    ]
    (found,) = beside_paper(sheet, compared)
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["a", "50.0\u00a0%, 25.0\u00a0%, +25.00\u00a0pp", "0.7012, 0.8000, −0.0988"],
        ["c", "–", "–, 0.8000"],
    ]
    assert found.frame["difference"].tolist()[:2] == [0.25, pytest.approx(-0.09881)]
    assert beside_paper(sheet, [Compared("b", "gain", share, 0.5, None)]) == ()
