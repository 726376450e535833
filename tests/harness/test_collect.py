"""`prefillroute collect` through the real command line: a real model, a real streaming server, faults on purpose."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from prefillroute.cli.main import main

pytestmark = [pytest.mark.smollm2, pytest.mark.timeout(300)]


def words(url: str, out: Path | str, questions: Path, **extra: Any) -> list[str]:
    """The command line for a pool of one model in two modes."""
    targets = [
        f"{{name:{name},provider:local,endpoint:smollm2,base_url:'{url}',mode:direct,price_in:1.0,price_out:2.0,"
        f"price_date:toy,generate:{{max_tokens:{tokens},temperature:0.0}}}}"
        for name, tokens in (("short", 6), ("long", 12))
    ]
    given = {"limits.retries": 1, "limits.connections": 4, **extra}
    return [
        "collect", "pool=starter", "pool.name=toy", f"pool.targets=[{','.join(targets)}]", "benchmark=file",
        f"benchmark.path={questions}", f"out={out}", *(f"{key}={value}" for key, value in given.items()),
    ]  # fmt: skip


def outcomes(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "outcomes.parquet")


def test_outcome_table_of_a_real_model(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(words(proxy.url, out, question_file(6))) == 0
    found = outcomes(out)
    assert len(found) == 12
    assert set(found["target"]) == {"short", "long"}
    assert found["correct"].isin([0.0, 1.0]).all()
    assert (found["prompt_tokens"] > 5).all()
    assert found.loc[found["target"] == "short", "completion_tokens"].le(6).all()
    # A streamed first token comes before the end, and after the request.
    assert (found["ttft_s"] > 0).all()
    assert (found["ttft_s"] <= found["latency_s"]).all()
    cost = (found["prompt_tokens"] + 2.0 * found["completion_tokens"]) / 1e6
    assert found["cost_usd"].tolist() == pytest.approx(cost.tolist())
    assert all(body["stream"] for body in proxy.bodies)
    assert pd.read_parquet(out / "queries.parquet")["category"].tolist() == ["numbers", "sums"] * 3
    said = capsys.readouterr().out
    assert "12 outcomes" in said
    # The same command asks nothing more.
    before = proxy.asked.total()
    assert main(words(proxy.url, out, question_file(6))) == 0
    assert proxy.asked.total() == before


@pytest.mark.parametrize("fault", ["429", "500", "garbage", "cut", "unfinished", "stall"])
def test_passing_fault_is_made_good(
    fault: str, proxy: Any, question_file: Callable[[int], Path], tmp_path: Path
) -> None:
    """Every question's first request breaks; its answer is recorded once, from a whole stream."""
    proxy.fault = lambda question, before: fault if before == 0 else None
    out = tmp_path / "out"
    stall = {"limits.stall_s": 2} if fault == "stall" else {}
    assert main(words(proxy.url, out, question_file(2), **stall)) == 0
    assert len(outcomes(out)) == 4
    assert proxy.answered.total() >= 4
    # The latency is the successful attempt's: not the stall before it, nor the wait between attempts.
    assert outcomes(out)["latency_s"].max() < (8 if fault == "stall" else 60)


@pytest.mark.slow
def test_minute_of_silence_is_noticed(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path
) -> None:
    """The default: a stream that says nothing for 60 s is given up, and asked for again."""
    proxy.stall_s = 200.0
    proxy.fault = lambda question, before: "stall" if before == 0 else None
    started = time.monotonic()
    assert main(words(proxy.url, tmp_path / "out", question_file(1))) == 0
    assert 60 <= time.monotonic() - started < 200
    assert len(outcomes(tmp_path / "out")) == 2


@pytest.mark.parametrize("fault", ["401", "500", "unfinished"])
def test_lasting_fault_is_missing_and_never_wrong(
    fault: str,
    proxy: Any,
    question_file: Callable[[int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    proxy.fault = lambda question, before: fault if question == "What is 1 + 1?" else None
    out, questions = tmp_path / "out", question_file(3)
    assert main(words(proxy.url, out, questions)) == 1
    found = outcomes(out)
    assert len(found) == 4
    assert "q1" not in set(found["query_id"])
    assert "q1" not in set(pd.read_parquet(out / "queries.parquet")["query_id"])
    said = capsys.readouterr().out
    assert "2 outcomes are missing" in said
    assert {"401": "on purpose", "500": "on purpose", "unfinished": "finish_reason"}[fault] in said
    # Mended, the same command asks for what is missing, and for that alone.
    proxy.fault = lambda question, before: None
    proxy.asked.clear()
    assert main(words(proxy.url, out, questions)) == 0
    assert dict(proxy.asked) == {"What is 1 + 1?": 2}
    assert len(outcomes(out)) == 6


def test_killed_run_goes_on_and_pays_for_nothing_twice(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path
) -> None:
    out, questions = tmp_path / "out", question_file(40)
    command = [sys.executable, "-m", "prefillroute.cli.main", *words(proxy.url, out, questions)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while proxy.answered.total() < 12:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    time.sleep(2)  # streams under way at the kill end
    first = proxy.answered.total()
    assert first < 80
    assert main(words(proxy.url, out, questions)) == 0
    assert len(outcomes(out)) == 80
    # Paid twice is at most what was in flight when the process died: four calls of each target.
    assert proxy.answered.total() <= 80 + 8


def test_server_that_dies_leaves_what_was_answered(
    make_proxy: Callable[[str], Any],
    model_url: str,
    question_file: Callable[[int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The server goes away for good after ten answers; the run ends by itself, the next one completes it."""
    dying = make_proxy(model_url)
    dying.fault = lambda question, before: "cut" if dying.answered.total() >= 10 else None
    out, questions = tmp_path / "out", question_file(40)
    assert main(words(dying.url, out, questions, **{"limits.retries": 0})) == 1
    found = outcomes(out)
    assert 10 <= len(found) < 30
    # Given up after twenty failures in a row, not after all of them.
    assert dying.asked.total() < 80
    assert "missing" in capsys.readouterr().out
    healthy = make_proxy(model_url)
    assert main(words(healthy.url, out, questions)) == 0
    assert len(outcomes(out)) == 80
    assert healthy.asked.total() == 80 - len(found)


def test_spend_limit_stops_cleanly(
    proxy: Any,
    question_file: Callable[[int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Four calls of each target at once; each may cost 0.0003 USD at most, and costs a sixth of that."""
    out, questions, limit = tmp_path / "out", question_file(8), 0.0007
    limited = words(proxy.url, out, questions, **{"limits.spend_usd": limit})
    assert main([*limited, "--dry-run"]) == 0
    assert "limits.spend_usd=0.0007 may stop it before its end" in capsys.readouterr().out
    assert main(limited) == 1
    found = outcomes(out)
    assert 0.0003 < found["cost_usd"].sum() <= limit
    assert len(found) < 16
    said = capsys.readouterr().out
    assert "stopped at limits.spend_usd=0.0007" in said
    assert main(limited) == 1  # the next run counts what this one spent: no room for another call
    assert len(outcomes(out)) == proxy.asked.total() == len(found)
    assert main(words(proxy.url, out, questions)) == 0
    assert proxy.asked.total() == 16


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_spend_limit_below_one_answer_is_refused_before_the_first(
    dry: list[str],
    proxy: Any,
    question_file: Callable[[int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = words(proxy.url, tmp_path / "out", question_file(2), **{"limits.spend_usd": 0.0001})
    assert main([*command, *dry]) == 1
    said = capsys.readouterr().err
    assert (
        "expected at least 0.000298 USD, which one answer of target 'short' may cost (up to 6 tokens)" in said
    )
    assert said.count("\n") == 1
    assert proxy.asked.total() == 0
    money = said.split("limits.spend_usd=")[1].split()[0]
    command = words(proxy.url, tmp_path / "out", question_file(2), **{"limits.spend_usd": money})
    assert main([*command, "--dry-run"]) == 0


def test_dry_run_asks_nothing_and_estimates(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, questions = tmp_path / "out", question_file(4)
    assert main([*words(proxy.url, out, questions), "--dry-run"]) == 0
    assert proxy.asked.total() == 0
    assert not out.exists()
    assert "an assumption" in capsys.readouterr().out
    assert main(words(proxy.url, out, questions, max_questions=2)) == 0
    capsys.readouterr()
    assert main([*words(proxy.url, out, questions), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "its calls so far" in said
    mean_in = outcomes(out).groupby("target")["prompt_tokens"].mean()
    assert f"{2 * mean_in['short']:,.0f}" in said


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"pool.targets.0.provider": "nowhere"}, "provider: expected an option among anthropic"),
        ({"pool.targets.0.mode": "dreaming"}, "(conf/provider/local.yaml), found 'dreaming'"),
        ({"pool.targets.0.generate.colour": "red"}, "expected generation options of Inspect, found colour"),
        ({"pool.targets.0.generate.max_retries": 3}, "found max_retries; set it in limits"),
        ({"pool.targets.0.generate.temperature": "warm"}, "generate: expected values that Inspect takes"),
        (
            {"pool.targets.0.provider": "openai"},
            "expected the provider's key in OPENAI_API_KEY, found nothing",
        ),
        ({"benchmark.path": "null"}, "benchmark.path"),
        ({"max_questions": 0}, "max_questions: expected at least 1, found 0"),
        (
            {"out": "pkg://prefillroute.starter_pool"},
            "out: expected a folder outside the package, found pkg://prefillroute.starter_pool",
        ),
    ],
)
def test_mistake_costs_nothing_and_is_named(
    extra: dict[str, Any],
    message: str,
    proxy: Any,
    question_file: Callable[[int], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    plus = {
        f"+{key}" if "generate.colour" in key or "max_retries" in key else key: v for key, v in extra.items()
    }
    out = plus.pop("out", tmp_path / "out")
    assert main(words(proxy.url, out, question_file(2), **plus)) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert proxy.asked.total() == 0


def test_changed_target_or_question_is_refused(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, questions = tmp_path / "out", question_file(2)
    assert main(words(proxy.url, out, questions)) == 0
    hotter = {"pool.targets.0.generate.temperature": 0.7}
    assert main(words(proxy.url, out, questions, **hotter)) == 1
    assert "target 'short': expected options" in capsys.readouterr().err
    questions.write_text(questions.read_text().replace("What is 0", "What was 0"))
    assert main(words(proxy.url, out, questions)) == 1
    assert "query 'q0'" in capsys.readouterr().err


def test_tables_of_another_origin_are_not_overwritten(
    proxy: Any, question_file: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "outcomes.parquet").write_bytes(b"mine")
    assert main(words(proxy.url, out, question_file(2))) == 1
    assert "expected a table made by collect, found another" in capsys.readouterr().err
    assert (out / "outcomes.parquet").read_bytes() == b"mine"
