"""Every command on a pool whose names and folders nobody expects: imported, shown, trained, routed, reported."""

import json
import re

import pandas as pd
import pytest
from omegaconf import OmegaConf

from prefillroute.config.facts import PoolConfig
from prefillroute.text.hints import hydra_value
from prefillroute.text.visible import hidden, visible
from tests.hostile import CATEGORIES, NAMES, pool_override


def test_train_prints_the_best_target_as_it_is(workspace):
    said = (workspace.root / "said.txt").read_text(encoding="utf-8")
    metrics = json.loads((workspace.root / "runs/first/metrics.json").read_text(encoding="utf-8"))
    assert f"best single target {visible(metrics['test']['best_single'])}: " in said
    assert not any(map(hidden, said.replace("\n", "")))


def test_the_skeleton_of_an_import_has_the_names(workspace):
    pool = OmegaConf.merge(OmegaConf.structured(PoolConfig), OmegaConf.load(workspace.data / "pool.yaml"))
    assert [target.name for target in pool.targets] == list(NAMES)


def test_names_come_back_from_every_file(workspace):
    run = workspace.root / "runs" / "first"
    assert set(pd.read_parquet(workspace.data / "outcomes.parquet")["target"]) == set(NAMES)
    assert set(pd.read_parquet(workspace.data / "queries.parquet")["category"]) == set(CATEGORIES)
    assert set(pd.read_parquet(run / "predictions.parquet")["target"]) == set(NAMES)
    assert tuple(json.loads((run / "metrics.json").read_text(encoding="utf-8"))["targets"]) == NAMES
    bundle = json.loads((run / "router" / "router.json").read_text(encoding="utf-8"))
    assert tuple(target["facts"]["name"] for target in bundle["targets"]) == NAMES
    headers = [file.read_text().splitlines()[0] for file in run.rglob("metrics.csv")]
    assert all(re.fullmatch(r"[\w/,]+", header) for header in headers)


def test_pool_show(command):
    said = command(
        "pool", "show", "mmlu_pro_six", "pool.name=tiny", "pool.outcomes=data/tiny", pool_override()
    )
    shown = {line.strip().split("  ")[0] for line in said.splitlines()}
    assert {visible(name) for name in NAMES} <= shown


def test_route_a_query_and_every_name_in_targets(command):
    router = ("route", "--router", "runs/first/router")
    prompt = "add 1 and 2 [/red] :smile: \x1b[31m"
    said = command(*router, prompt, "second [high]")
    assert said.startswith(visible(prompt) + "\n")
    assert {visible(name) for name in NAMES} <= {
        cell.strip().removesuffix(" *") for line in said.splitlines() for cell in line.split("│")
    }
    options = [word for name in NAMES for word in ("--targets", name) if not name.startswith("-")]
    options.append("--targets=-leading")
    assert set(json.loads(command(*router, "x", "--json", *options))["confidence"]) == set(NAMES)
    two = command(*router, "x", "--json", "--targets", f"{NAMES[5]},{NAMES[0]}")
    assert set(json.loads(two)["confidence"]) == {NAMES[5], NAMES[0]}
    assert "targets: expected some of the router's o3[high]" in command(
        *router, "x", "--targets", "huge", status=1
    )


def test_route_a_file(command, workspace):
    (workspace.root / "q [1].txt").write_text("add 1 and 2\nspell [/x] backwards\n", encoding="utf-8")
    for out in ("d [x].jsonl", "-d.parquet"):
        said = command("route", "--router", "runs/first/router", "--file", "q [1].txt", f"--out={out}")
        assert {visible(name) for name in NAMES} <= {
            cell.strip() for line in said.splitlines() for cell in line.split("│")
        }
        assert said.rstrip().endswith(f"in {out}")
    rows = [json.loads(line) for line in (workspace.root / "d [x].jsonl").read_text("utf-8").splitlines()]
    frame = pd.read_parquet(workspace.root / "-d.parquet")
    for row, target in zip(rows, frame["target"], strict=True):
        assert row["target"] == target
        assert set(row["confidence"]) == set(NAMES)
    assert {f"confidence/{name}" for name in NAMES} <= set(frame.columns)
    assert "parity holds" in command("route", "--check", "runs/first")


def test_report(command, workspace):
    assert command("report", "runs/first").strip() == "runs/first/report.html"
    text = (workspace.root / "runs/first/report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    (line,) = re.findall(r'<pre class="command"[^>]*>(.*?)</pre>', text, re.DOTALL)
    assert line.startswith("prefillroute train ")


def test_collect_dry_run(command, workspace):
    pytest.importorskip("inspect_ai")
    (workspace.root / "ask.csv").write_text("prompt,answer\nWhat is [/x]?,:smile:\n", encoding="utf-8")
    names = tuple(name for name in NAMES if not hidden_in(name))
    facts = ",provider:local,endpoint:x,base_url:'http://127.0.0.1:9',mode:direct"
    said = command(
        "collect", "pool=starter", pool_override(names, facts), "benchmark=file", "benchmark.path=ask.csv",
        f"out={hydra_value('collected [x]')}", "--dry-run",
    )  # fmt: skip
    assert {visible(name) for name in names} <= {line.strip().split("  ")[0] for line in said.splitlines()}


def hidden_in(name: str) -> bool:
    return any(map(hidden, name))
