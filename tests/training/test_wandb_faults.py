"""W&B that is unreachable, silent, refuses, dies or cannot write never stops, delays or changes a run."""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from pytorch_lightning.loggers import WandbLogger

from prefillroute.training.trackers.contract import RunCard, RunSources
from prefillroute.training.trackers.guarded import Guard
from prefillroute.training.trackers.wandb_run import WandbTracker
from tests.training.toy_runs import write_run
from tests.wandb_stand_in import faults
from tests.wandb_stand_in.run_log import read_run_log
from tests.wandb_stand_in.store import Store

EPOCHS = [{"epoch": float(epoch), "train/loss": 1 / (1 + epoch)} for epoch in range(3)]
WAIT_S = 1.0


def nothing() -> RunSources:
    raise OSError("the outcomes are gone")


def follow(folder: Path, run_id: str = "0a1b2c3d", during: Callable[[], None] = lambda: None) -> WandbTracker:
    """What a run does with its tracker, around a run folder that is there already; it may take only so long."""
    if not folder.exists():
        write_run(folder, (), 1.0)
    card = RunCard(folder, run_id, {"seed": 1}, {"pool": "toy"}, "a run")
    card.logs.mkdir(exist_ok=True)
    begun = time.monotonic()
    tracker = WandbTracker(
        lambda **kind: WandbLogger(project="prefillroute", save_dir=str(card.logs), **kind),
        card,
        wait_s=WAIT_S,
    )
    tracker.begin()
    for row in EPOCHS:
        tracker.logger.log_metrics(row, step=int(row["epoch"]))
    during()
    tracker.measured({"mean_auc": 0.5})
    tracker.wrote(nothing)
    tracker.end()
    assert time.monotonic() - begun < 30
    return tracker


def written(folder: Path) -> list[dict]:
    """The epochs in what was written offline."""
    (path,) = folder.glob("logs/wandb/offline-run-*/*.wandb")
    log = read_run_log(path)
    assert log.exit_code == 0
    assert log.summary["test/mean_auc"] > 0.5
    return [{key: row[key] for key in EPOCHS[0]} for row in log.history if "epoch" in row]


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (faults.closed_port, "connection refused"),
        (faults.silent, "deadline exceeded"),
        (lambda: faults.refusing(401), "401"),
        (lambda: faults.refusing(500), "HTTP 500"),
    ],
    ids=["unreachable", "silent", "refused", "broken"],
)
def test_without_a_server_a_run_is_written_offline(
    server: Callable[[], AbstractContextManager[str]],
    said: str,
    tmp_path: Path,
    wandb_home: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with server() as url:
        wandb_home(url)
        follow(tmp_path / "run")
    assert written(tmp_path / "run") == EPOCHS
    told = [text for text in caplog.messages if "upload it later: wandb sync" in text]
    assert len(told) == 1
    assert said in told[0]
    assert "W&B: the artifacts could not be sent: the outcomes are gone" in caplog.messages
    assert "WANDB_MODE" not in os.environ


@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_usable_key_a_run_is_written_offline(
    key: str, tmp_path: Path, wandb_server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", key)
    follow(tmp_path / "run")
    assert written(tmp_path / "run") == EPOCHS
    assert wandb_server.runs == {}


@pytest.mark.parametrize("offline", [False, True])
def test_without_a_folder_to_write_in_a_run_goes_on_untracked(
    offline: bool,
    tmp_path: Path,
    wandb_server: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if offline:
        monkeypatch.setenv("WANDB_MODE", "offline")
    write_run(tmp_path / "run", (), 1.0)
    (tmp_path / "run" / "logs").mkdir()
    (tmp_path / "run" / "logs" / "wandb").write_text(
        ""
    )  # the tests may run as root, to whom no folder is read-only
    assert follow(tmp_path / "run").mode == "none"
    told = [text for text in caplog.messages if text.startswith("W&B")]
    assert len(told) == 1
    assert told[0].endswith(f"nothing is sent, the numbers are in {tmp_path / 'run'}")


def test_a_run_that_the_user_does_not_want_is_not_sent(
    tmp_path: Path, wandb_server: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert follow(tmp_path / "run").mode == "disabled"
    assert wandb_server.requests == []
    assert [text for text in caplog.messages if text.startswith("W&B")] == []


def to_core(number: signal.Signals) -> None:
    cores = [child for child in psutil.Process().children(recursive=True) if child.name() == "wandb-core"]
    alive = [core for core in cores if core.status() != psutil.STATUS_ZOMBIE]
    assert alive
    for core in alive:
        core.send_signal(number)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_wandb_core_dies_or_freezes_the_run_ends_and_the_next_one_is_tracked(
    number: signal.Signals, tmp_path: Path, wandb_server: Store, caplog: pytest.LogCaptureFixture
) -> None:
    follow(tmp_path / "run", during=lambda: to_core(number))
    assert any("later: wandb sync" in text for text in caplog.messages)
    assert [
        child for child in psutil.Process().children(recursive=True) if child.name() == "wandb-core"
    ] == []
    follow(tmp_path / "next", "00000002")
    assert wandb_server.run_of("00000002").state == "finished"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_goes_away_during_the_run_is_waited_for_only_so_long(
    tmp_path: Path, wandb_server: Store, caplog: pytest.LogCaptureFixture
) -> None:
    follow(tmp_path / "run", during=wandb_server.hang_up)
    assert [
        child for child in psutil.Process().children(recursive=True) if child.name() == "wandb-core"
    ] == []
    (sync,) = [text for text in caplog.messages if "not all was uploaded" in text]
    assert str(tmp_path / "run" / "logs" / "wandb") in sync
    (path,) = tmp_path.glob("run/logs/wandb/run-*/*.wandb")
    rows = [row for row in read_run_log(path).history if "epoch" in row]
    assert [{key: row[key] for key in EPOCHS[0]} for row in rows] == EPOCHS


def test_what_fails_again_and_again_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard("W&B")
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        with guard("the metrics"):
            raise ConnectionResetError("Connection lost")
    assert caplog.messages == ["W&B: the metrics could not be sent: Connection lost"]
