"""Checkpoint and resume, loggers, closed-form heads, settings."""

import csv
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from lightning_utilities.core.rank_zero import rank_zero_only
from pytorch_lightning.loggers import CSVLogger

from prefillroute.errors import UserError
from prefillroute.heads.constant import ConstantHead
from prefillroute.heads.independent_mlp import IndependentMLP
from prefillroute.heads.layout import Layout
from prefillroute.heads.logistic import LogisticHead
from prefillroute.heads.shared_trunk import SharedTrunkNet
from prefillroute.modules.checkpoint_io import AtomicCheckpointIO
from prefillroute.modules.fit import FittedHead, fit_head
from prefillroute.modules.one_process import first_rank
from prefillroute.modules.settings import FitSettings

VALUES = {
    "num_members": 4,
    "num_kept": 2,
    "max_epochs": 14,
    "patience": 3,
    "batch_size": 64,
    "learning_rate": 0.02,
    "accelerator": "cpu",
}


def fit(kind, data, *, seed=7, checkpoint_dir=None, logger=None, **changes) -> FittedHead:
    settings = FitSettings(**(VALUES | changes))
    head = kind(
        Layout(6), 3, data.num_groups, settings.num_members, seed=5, hidden=(8, 6), dropout=(0.3, 0.2)
    )
    return fit_head(head, data, settings, seed=seed, checkpoint_dir=checkpoint_dir, logger=logger)


def assert_same(a: FittedHead, b: FittedHead) -> None:
    np.testing.assert_array_equal(a.validation_loss, b.validation_loss)
    np.testing.assert_array_equal(a.best_epoch, b.best_epoch)
    for one, other in zip(a.heads, b.heads, strict=True):
        for key, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[key])


@pytest.mark.parametrize("kind", [SharedTrunkNet, IndependentMLP])
@pytest.mark.parametrize(("stop_after", "optimizer"), [(1, "adam"), (7, "adam"), (11, "adam"), (7, "adamw")])
def test_resume_is_exact(folded, tmp_path, kind, stop_after, optimizer):
    data = folded()
    whole = fit(kind, data, optimizer=optimizer)
    fit(kind, data, checkpoint_dir=tmp_path, max_epochs=stop_after, optimizer=optimizer)
    assert (tmp_path / "last.ckpt").exists()
    assert_same(fit(kind, data, checkpoint_dir=tmp_path, optimizer=optimizer), whole)
    # Once more on the finished checkpoint: nothing is left to train, the answer is the same.
    assert_same(fit(kind, data, checkpoint_dir=tmp_path, optimizer=optimizer), whole)


def test_nets_stop_before_the_last_resume_point(folded):
    """Otherwise `test_resume_is_exact` would not have met shrunken stacks."""
    assert fit(SharedTrunkNet, folded()).best_epoch.min() + VALUES["patience"] < 11


def test_killed_process_resumes_exactly(folded, tmp_path):
    script = textwrap.dedent(
        f"""
        import sys, torch
        from pathlib import Path
        from prefillroute.data.folded import FoldedData
        from prefillroute.heads.layout import Layout
        from prefillroute.heads.shared_trunk import SharedTrunkNet
        from prefillroute.modules.fit import fit_head
        from prefillroute.modules.settings import FitSettings
        torch.set_num_threads(1)
        data = FoldedData(**torch.load({str(tmp_path / "data.pt")!r}))
        head = SharedTrunkNet(Layout(6), 3, data.num_groups, 4, seed=5, hidden=(8, 6), dropout=(0.3, 0.2))
        fit_head(head, data, FitSettings(**{VALUES!r}), seed=7, checkpoint_dir=Path(sys.argv[1]))
        """
    )
    data = folded()
    parts = {name: getattr(data, name) for name in ("features", "correct", "train", "valid")}
    torch.save(parts, tmp_path / "data.pt")
    folder = tmp_path / "killed"
    # The checkpoint is written beside its name and moved there: watch for the first, then kill without warning.
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], cwd=os.getcwd(), stderr=subprocess.PIPE
    )
    while process.poll() is None and not (folder / "last.ckpt").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    stopped_at = torch.load(folder / "last.ckpt", weights_only=True)["epoch"]
    assert stopped_at < VALUES["max_epochs"] - 1
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert_same(fit(SharedTrunkNet, data, checkpoint_dir=folder), fit(SharedTrunkNet, data))
    finally:
        torch.set_num_threads(threads)


def test_checkpoint_holds_plain_values_and_tensors(folded, tmp_path):
    fit(SharedTrunkNet, folded(), checkpoint_dir=tmp_path, max_epochs=2)
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert checkpoint["hyper_parameters"]["learning_rate"] == 0.02
    assert set(checkpoint["hyper_parameters"]) == {
        "learning_rate",
        "weight_decay",
        "patience",
        "min_delta",
        "monitor",
        "optimizer",
        "seed",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_checkpoint_of_another_run_is_refused(folded, tmp_path):
    data = folded()
    fit(SharedTrunkNet, data, checkpoint_dir=tmp_path, max_epochs=1)
    with pytest.raises(UserError, match="checkpoint of another run: seed: expected 8, found 7"):
        fit(SharedTrunkNet, data, checkpoint_dir=tmp_path, seed=8)
    with pytest.raises(UserError, match="checkpoint of another run: trainer: expected"):
        fit(SharedTrunkNet, data, checkpoint_dir=tmp_path, patience=9)
    with pytest.raises(UserError, match="checkpoint of another run: data: expected"):
        fit(SharedTrunkNet, folded(seed=1), checkpoint_dir=tmp_path)
    with pytest.raises(UserError, match="checkpoint of another run: head: expected"):
        fit(IndependentMLP, data, checkpoint_dir=tmp_path)


def test_damaged_checkpoint_is_one_line(folded, tmp_path):
    data = folded()
    fit(SharedTrunkNet, data, checkpoint_dir=tmp_path, max_epochs=1)
    path = tmp_path / "last.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"last\.ckpt: not a checkpoint that can be read .* delete it"):
        fit(SharedTrunkNet, data, checkpoint_dir=tmp_path)


def test_checkpoint_without_space_is_one_line_and_leaves_the_last_one(tmp_path):
    path, writer = tmp_path / "last.ckpt", AtomicCheckpointIO()
    writer.save_checkpoint({"epoch": 1}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(
            UserError, match=r"last\.ckpt: the checkpoint cannot be written \(File too large\)"
        ):
            writer.save_checkpoint({"weights": torch.zeros(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert writer.load_checkpoint(path) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [SharedTrunkNet, IndependentMLP])
def test_gpu_trains_as_well_and_resumes(folded, tmp_path, kind):
    data = folded()
    cpu, gpu = fit(kind, data), fit(kind, data, accelerator="gpu")
    assert gpu.validation_loss.mean() == pytest.approx(cpu.validation_loss.mean(), abs=0.02)
    fit(kind, data, accelerator="gpu", checkpoint_dir=tmp_path, max_epochs=7)
    resumed = fit(kind, data, accelerator="gpu", checkpoint_dir=tmp_path)
    np.testing.assert_allclose(resumed.validation_loss, gpu.validation_loss, atol=1e-4)


def test_logger_gets_one_row_per_epoch(folded, tmp_path):
    logger = CSVLogger(tmp_path, name="", version="")
    fitted = fit(SharedTrunkNet, folded(), logger=logger)
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["epoch"])) for row in rows] == list(range(len(rows)))
    wanted = {
        "train/loss",
        "val/loss",
        "val/best_loss",
        "nets/active",
        *(f"val/loss_group{g}" for g in range(3)),
    }
    assert wanted <= set(rows[0])
    assert all(row[key] for row in rows for key in wanted)
    assert float(rows[-1]["nets/active"]) < float(rows[0]["nets/active"]) == 12
    assert float(rows[-1]["val/best_loss"]) == pytest.approx(fitted.validation_loss.mean(), abs=1e-5)
    assert [float(row["val/loss"]) for row in rows] == pytest.approx(
        [row["val/loss"] for row in fitted.history]
    )


@pytest.mark.filterwarnings("ignore:Experiment logs directory")
def test_resumed_csv_log_has_all_epochs(folded, tmp_path):
    data = folded()
    for epochs in (3, 5):
        logger = CSVLogger(tmp_path, name="", version="")
        fit(SharedTrunkNet, data, checkpoint_dir=tmp_path / "fit", logger=logger, max_epochs=epochs)
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(float(row["epoch"])) for row in csv.DictReader(file)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("kind", "nets", "outputs"), [(SharedTrunkNet, 4, 3), (IndependentMLP, 4 * 3, 1)])
def test_work_counts_parameters_rows_and_epochs(folded, tmp_path, kind, nets, outputs):
    data = folded()
    parameters = 6 * 8 + 8 + 8 * 6 + 6 + 6 * outputs + outputs
    rows = data.train.sum(1).tolist()
    every = fit(kind, data, max_epochs=3, patience=9)  # no net stops
    assert every.work == sum(parameters * count * 3 * nets for count in rows)
    # Nets that stop: the logged number of those that still trained after each epoch says how many ran in the next.
    stopped = fit(kind, data, checkpoint_dir=tmp_path, max_epochs=7)
    active = [nets * len(rows), *(row["nets/active"] for row in stopped.history[:-1])]
    assert sum(active) < 7 * nets * len(rows)
    assert min(rows) * parameters * sum(active) <= stopped.work <= max(rows) * parameters * sum(active)
    resumed = fit(kind, data, checkpoint_dir=tmp_path)
    assert resumed.work == fit(kind, data).work > stopped.work


@pytest.mark.parametrize("kind", [ConstantHead, LogisticHead])
def test_closed_form_heads_go_through_the_same_door(folded, kind):
    data = folded()
    fitted = fit_head(kind(Layout(6), 3, data.num_groups), data)
    assert fitted.kept.tolist() == [[0]] * 3
    assert fitted.validation_loss.shape == (3, 1)
    assert (fitted.best_epoch == -1).all()
    assert fitted.work is None
    z = fitted.logits(data.features)
    torch.testing.assert_close(
        z,
        kind(Layout(6), 3, 3).fit(data.features, data.correct, data.train, data.valid)(data.features)[:, 0],
        atol=2e-5,
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "sgd"}, r"trainer\.optimizer: expected one of adam, adamw, found 'sgd'"),
        ({"ranked_on": "test"}, r"trainer\.ranked_on: expected one of validation, calibration, found 'test'"),
        ({"num_kept": 11}, r"trainer\.num_kept: expected at most trainer\.num_members = 10, found 11"),
        ({"patience": 0}, r"trainer\.patience: expected at least 1, found 0"),
        ({"learning_rate": -1.0}, r"trainer\.learning_rate: expected more than 0, found -1\.0"),
        ({"learning_rate": float("nan")}, r"trainer\.learning_rate: expected .*, found nan"),
        ({"weight_decay": -1.0}, r"trainer\.weight_decay: expected 0 or more, found -1\.0"),
        ({"accelerator": "quantum"}, r"trainer\.accelerator: expected one of .*, found 'quantum'"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(UserError, match=message):
        FitSettings(**change)


LAUNCHERS = {
    "slurm": {"SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1"},
    "slurm, second of four tasks": {"SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1"},
    "slurm, tasks per node": {"SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4(x2)", "SLURM_NNODES": "2"},
    "torchrun, second process": {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "GROUP_RANK": "0"}
    | {"TORCHELASTIC_RUN_ID": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"},
    "jsrun": {"JSM_NAMESPACE_RANK": "1"},
}
SLURM = {"SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"} | {
    "SLURM_NODEID": "0",
    "SLURM_NNODES": "1",
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("srun", [True, False], ids=["srun on the PATH", "no srun"])
def test_a_fit_is_one_process_whatever_launched_it(launcher, srun, folded, tmp_path, monkeypatch):
    """Same result, log and checkpoint, no warning, and no handler that requeues the job."""
    plain = fit(SharedTrunkNet, folded(), max_epochs=2)
    variables = LAUNCHERS[launcher]
    for name, value in (SLURM | variables if "slurm" in launcher else variables).items():
        monkeypatch.setenv(name, value)
    if srun:
        command = tmp_path / "bin" / "srun"
        command.parent.mkdir()
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    # What Lightning takes from the environment where it is imported; the loggers ask it.
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    before = {s: signal.getsignal(s) for s in (signal.SIGUSR1, signal.SIGUSR2)}
    with first_rank():
        logger = CSVLogger(tmp_path / "logs")
    assert_same(
        fit(SharedTrunkNet, folded(), checkpoint_dir=tmp_path, max_epochs=2, logger=logger),
        plain,
    )
    assert {s: signal.getsignal(s) for s in before} == before
    assert (tmp_path / "last.ckpt").exists()
    rows = (tmp_path / "logs/lightning_logs/version_0/metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + 2  # header and epochs
    assert rank_zero_only.rank == 1
