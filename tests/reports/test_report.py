"""report.html: it opens offline, is whole, and says what is missing."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefillroute.reports.choice import choice_sentence
from prefillroute.reports.headline import hull_gain_verdict
from prefillroute.reports.layer_profile import layer_profile_drawing
from prefillroute.reports.report import (
    baseline_notes,
    calibration_note,
    chosen_blocks,
    layer_notes,
    write_report,
)
from prefillroute.reports.run_folder import read_run_folder

FIGURES = ("accuracy_cost", "layers", "reliability", "routing_shares")
TABLES = ("strategies", "metrics", "targets", "disagreement", "timings")
VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Tags, ids, addresses and text of a page; fails on tags that are not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.sections: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.labels: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(self.source)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "section":
            self.sections.append(values["id"])
        if tag == "svg":
            self.labels.append(values["aria-label"])
        self.addresses += [values[name] for name in ("src", "href", "xlink:href", "srcset") if name in values]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(finished_run):
    return Page(finished_run / "report.html")


def test_opens_offline_with_every_section(page, finished_run):
    assert page.sections == ["headline", *FIGURES, *TABLES, "notes", "configuration"]
    assert "http" not in page.source
    assert "@import" not in page.source
    assert "<script" not in page.source
    assert "<img" not in page.source  # drawings are inline SVG
    assert all(address.startswith("#") for address in page.addresses)
    for name in FIGURES:
        for suffix in ("png", "svg"):
            assert (finished_run / "figures" / f"{name}.{suffix}").stat().st_size > 1000
    assert not list(finished_run.rglob("*.partial"))


def test_svg_references_meet_their_ids(page):
    assert len(page.ids) == len(set(page.ids))
    wanted = {address[1:] for address in page.addresses} | set(re.findall(r"url\(#([^)]+)\)", page.source))
    assert wanted <= set(page.ids)


def test_every_figure_has_words_for_who_cannot_see_it(page):
    assert len(page.labels) == len(FIGURES)
    assert all(len(label) > 60 for label in page.labels)
    assert "layer 3 mean" in page.labels[1]


def test_says_what_was_run_and_what_came_out(page, finished_run):
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert "tiny · three · shared_trunk · platt" in page.text
    assert "prefillroute train encoder=tiny 'pool.targets=[a b]'" in page.text
    assert f"{metrics['test']['mean_auc']:.3f}" in page.text
    assert f"{metrics['test']['constant_mean_brier']:.3f}" in page.text
    low, high = metrics["intervals"]["mean_auc"]
    assert f"[{low:.3f}, {high:.3f}]" in page.text
    assert "1 min 12 s" in page.text


@pytest.mark.parametrize(
    ("ends", "said"),
    [([0.02, 0.04], "lies above it"), ([0.005, 0.02], "contains it"), ([-0.02, 0.005], "lies below it")],
)
def test_verdict_on_hull_gain(ends, said):
    metrics = {"test": {"hull_gain": 0.01, "constant_hull_gain": 0.01}, "intervals": {"hull_gain": ends}}
    assert said in hull_gain_verdict(metrics)


def test_the_paired_difference_decides_the_verdict():
    test = {"hull_gain": 0.02, "constant_hull_gain": 0.005, "hull_gain_over_constant": 0.015}
    intervals = {"hull_gain": [0.006, 0.03], "hull_gain_over_constant": [-0.002, 0.03]}
    said = hull_gain_verdict({"test": test, "intervals": intervals})
    assert "lies above it" in said
    assert "contains 0: on these queries no gain" in said
    intervals["hull_gain_over_constant"] = [0.002, 0.03]
    assert "lies above 0: the router gains" in hull_gain_verdict({"test": test, "intervals": intervals})
    intervals["hull_gain_over_constant"] = [-0.03, -0.002]
    assert "lies below 0: the router does worse" in hull_gain_verdict({"test": test, "intervals": intervals})


def test_says_what_was_chosen_on_what_evidence(page, finished_run, run_folder):
    metrics = json.loads((finished_run / "metrics.json").read_text())
    choice, top = metrics["choice"], metrics["choice"]["most_accurate"]
    best = choice["best_single"]
    assert choice["chosen"] == {"target": best}, "on so few rows there is no evidence"
    assert f"No λ was chosen: on the {choice['num_rows']} out-of-fold queries" in page.text
    assert f"standard error {100 * top['standard_error']:.2f} pp" in page.text
    assert f"for more than 2 standard errors, so at “the chosen λ” every query goes to {best}." in page.text
    assert f"chosen λ none, {best} instead" in page.text
    assert any(f"every query to {best}" in label for label in page.labels)
    folder = run_folder()

    def leave(metrics):
        metrics["test"]["chosen_lambda"] = 0.25
        found = {"lambda": 0.25, "gain": 0.0312, "standard_error": 0.0101}
        metrics["choice"] |= {"chosen": found, "most_accurate": found}

    edit_metrics(folder, leave)
    text = Page(write_report(folder)).text
    assert "chosen λ 0.250" in text
    assert "λ = 0.250 was chosen for the greatest accuracy on the" in text
    assert (
        f"it gains +3.12 pp over {best}, the best single target outside the test part, standard error 1.01 pp"
        in text
    )
    assert choice_sentence({"test": {}}) == ""
    assert "was chosen without a guard" in choice_sentence({"choice": {**choice, "guard": 0.0}})


NOTES = {"baselines": "no train_oof rows: cost range and baselines are those of calibration"}


def test_layer_choice_in_metrics_is_preferred_and_its_notes_are_shown(run_folder):
    folder = run_folder()
    block = {"encoder": "tiny", "layers": [1, 2], "pooling": "last", "dim": 50}
    layers = {
        "blocks": [block, {**block, "dim": 100}],
        "unscored": ["model-0-instruct"],
        "notes": ["constant: layer 0"],
    }
    edit_metrics(
        folder,
        lambda m: m.update(layers=layers, calibration={"name": "zscore", "calibrated": False}, notes=NOTES),
    )
    run = read_run_folder(folder)
    assert chosen_blocks(run) == [("tiny", 1, "last"), ("tiny", 2, "last")]
    assert [text.split(":")[0] for _, text in layer_notes(run)] == [
        "constant",
        "one class in training, given the block that is best on average",
    ]
    assert calibration_note(run)
    assert baseline_notes(run) == list(NOTES.items())


def test_without_layers_and_bundle(run_folder):
    folder = run_folder()
    (folder / "layers.parquet").unlink()
    (folder / "router" / "router.json").unlink()
    page = Page(write_report(folder))
    assert "layers" not in page.sections
    assert "reliability" in page.sections


def test_layers_nobody_scored(finished_run):
    layers = pd.read_parquet(finished_run / "layers.parquet").assign(auc=np.nan, fisher_j=np.nan)
    assert layer_profile_drawing(layers, []) is None
    assert layer_profile_drawing(layers.iloc[:0], []) is None


def test_nulls_are_dashes_with_reasons(run_folder):
    folder = run_folder()

    def drop(metrics):
        for name in ("hull_gain", "mean_auc", "cost_at_best_single", "chosen_lambda", "headroom_captured"):
            metrics["test"][name] = None
            metrics["intervals"][name] = None
        metrics["reasons"]["test.mean_auc"] = "every target has one class only"
        metrics["targets"]["model-0-instruct"]["auc"] = None
        metrics["intervals"]["cost_savings"] = [0.1, None]

    edit_metrics(folder, drop)
    text = Page(write_report(folder)).text
    assert "every target has one class only" in text
    assert "cannot be said" in text
    assert "∞" in text
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("num_targets", [1, 33])
def test_any_number_of_targets(run_folder, make_table, num_targets):
    page = Page(write_report(run_folder(make_table(num_targets))))
    assert f"model-{num_targets - 1}-instruct" in page.text


def test_no_complete_query(run_folder, make_table):
    table = make_table(2)
    correct = table.correct.copy()
    correct[np.arange(60), np.arange(60) // 2 % 2] = np.nan
    page = Page(write_report(run_folder(dataclasses.replace(table, correct=correct))))
    assert "accuracy_cost" not in page.sections
    assert "no such query has every target's outcome" in page.text


@pytest.mark.parametrize(
    ("num_free", "said"), [(1, "the cheapest target is free"), (3, "every target is free")]
)
def test_free_targets_have_no_place_on_a_log_axis(run_folder, make_table, num_free, said):
    table = make_table(3)
    cost = table.cost_usd.copy()
    cost[:, :num_free] = 0.0
    page = Page(write_report(run_folder(dataclasses.replace(table, cost_usd=cost))))
    assert said in page.text


def test_both_readings_of_hull_gain_stand_beside_the_constant_predictor(page):
    rows = [row for row in page.text.split("Hull gain")[1:] if "pp" in row]
    assert any(row.startswith(", not mixed") for row in rows)


def test_names_are_escaped(run_folder, make_table):
    table = dataclasses.replace(make_table(3), targets=("<b>&a", 'q"uote', "c$x$_{2}"))
    page = Page(write_report(run_folder(table)))
    assert "<b>&a" in page.text
    assert "<b>&" not in page.source
    assert "c$x$_{2}" in page.text


def test_uncalibrated_scores_are_called_so(run_folder):
    folder = run_folder()
    assert calibration_note(read_run_folder(folder)) == []
    path = folder / ".hydra" / "hydra.yaml"
    path.write_text(path.read_text().replace("platt", "zscore"))
    assert "not probabilities" in calibration_note(read_run_folder(folder))[0][1]


def test_writes_the_same_bytes_again(run_folder, finished_run):
    folder = run_folder()
    assert write_report(folder).read_bytes() == (finished_run / "report.html").read_bytes()
    for path in sorted((finished_run / "figures").iterdir()):
        assert (folder / "figures" / path.name).read_bytes() == path.read_bytes()


def edit_metrics(folder, change):
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    change(metrics)
    path.write_text(json.dumps(metrics))
