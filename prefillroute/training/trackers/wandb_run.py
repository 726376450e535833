"""One W&B run per job: opened, filled and closed so that W&B can never stop, delay or fail the training.

What goes wrong with W&B is logged in one line, which says how to upload later; the training goes on.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wandb
from pytorch_lightning.loggers import Logger, WandbLogger

from prefillroute.config.guard import one_line
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.preemption import Preempted
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.tracked import summary_numbers
from prefillroute.text import hints
from prefillroute.training.trackers.contract import RunCard, RunSources, Tracker
from prefillroute.training.trackers.once import OncePerEpoch
from prefillroute.training.trackers.wandb_artifacts import made_artifacts, source_artifacts
from prefillroute.training.trackers.wandb_charts import charts

log = logging.getLogger(__name__)

EPOCH_FILE = "offline_epoch"
"""Beside W&B's own files: the last epoch that an offline run holds, for the process that goes on with it."""
_PER_EPOCH = ("train/*", "val/*", "nets/*")


class WandbTracker(Tracker):
    """Tells W&B about a run through Lightning's logger.

    Args:
        make: makes the logger.
        card: the run.
        wait_s: longest wait for the server, once at the start and once at the end.
        upload_bundle: whether the files of the router bundle are uploaded, or only their paths and digests.

    Raises:
        UserError: `wait_s` is not positive.
    """

    def __init__(
        self, make: Callable[..., Logger], card: RunCard, wait_s: float = 30.0, upload_bundle: bool = True
    ) -> None:
        if wait_s <= 0:
            raise UserError(f"logger.tracker.wait_s: expected a positive number, found {wait_s}")
        self.card, self.wait_s, self.upload_bundle = card, wait_s, upload_bundle
        inner = self._open(make)
        self.run = inner.experiment
        self.offline = bool(self.run.settings.mode in ("offline", "dryrun"))
        self.logger = _Guarded(inner, self._last_epoch(), self._kept if self.offline else None)

    def begin(self) -> None:
        """Configuration, choices and the x-axis of the losses."""
        super().begin()
        with _guard("the configuration"):
            extra = {"choices": dict(self.card.choices), "run_folder": str(self.card.folder.resolve())}
            if self.card.command is not None:
                extra["sweep"] = {"name": self.card.sweep, "command": self.card.command}
            self.run.config.update(extra, allow_val_change=True)
            self.run.define_metric("epoch", hidden=True)
            for keys in _PER_EPOCH:
                self.run.define_metric(keys, step_metric="epoch", step_sync=False)

    def wrote(self, sources: RunSources) -> None:
        """Intervals into the summary; tables and charts; the artifacts that the run used and made."""
        folder = self.card.folder
        with _guard("the summary"):
            metrics = read_metrics(folder)
            self.run.summary.update(summary_numbers(metrics))
            self.run.log(charts(folder, metrics, self.card.choices.get("encoder", "none")))
        with _guard("the artifacts"):
            for artifact in source_artifacts(sources):
                # `use_artifact` would wait for the server without end, and refuses to work offline.
                self.run._log_artifact(artifact, is_user_created=True, use_after_commit=True)
            for artifact in made_artifacts(folder, self.card.id, self.upload_bundle):
                self.run.log_artifact(artifact)

    def end(self, error: BaseException | None = None) -> None:
        """Mark the run as finished, failed with its reason, or about to be preempted; wait at most `wait_s`."""
        super().end(error)
        with _guard("the end of the run"):
            if isinstance(error, Preempted):
                self.run.mark_preempting()
            elif error is not None:
                self.run.summary["error"] = one_line(error)
        try:
            self.run.finish(exit_code=0 if error is None else 1)
        except TimeoutError:
            log.warning("W&B: not all was uploaded within %g s; later: %s", self.wait_s, self._sync_command())
        except Exception as problem:
            log.warning("W&B: %s; later: %s", one_line(problem), self._sync_command())
        else:
            if self.offline:
                log.info("W&B: upload with: %s", self._sync_command())

    def _open(self, make: Callable[..., Logger]) -> WandbLogger:
        """Open the run as the environment says; where that fails offline, and where this fails not at all."""
        card = self.card
        chosen: dict[str, Any] = {
            "id": card.id, "resume": "allow", "name": card.name or None, "group": card.sweep,
            "tags": [f"{group}={option}"[:64] for group, option in card.choices.items()],
        }  # fmt: skip
        problem = "nothing"
        for mode in (None, "offline", "disabled"):
            settings = wandb.Settings(
                init_timeout=self.wait_s, login_timeout=self.wait_s, finish_timeout=self.wait_s,
                finish_timeout_raises=True, **({} if mode is None else {"mode": mode}),
            )  # fmt: skip
            try:
                with _environment_kept():
                    logger = make(**chosen, settings=settings)
                    assert isinstance(logger, WandbLogger)
                    run = logger.experiment
            except Exception as error:
                problem = one_line(error)
                wandb.teardown()  # its service would refuse the id as one in use
                continue
            if mode == "offline":
                sync = hints.command("wandb", "sync", Path(run.settings.sync_dir))
                log.warning("W&B: %s; this run is written offline, upload it later: %s", problem, sync)
            elif mode == "disabled":
                log.warning("W&B: %s; nothing is sent, the numbers are in %s", problem, card.folder)
            return logger
        raise AssertionError("a disabled run needs neither network nor disk")

    def _sync_command(self) -> str:
        return hints.command("wandb", "sync", Path(self.run.settings.sync_dir))

    @property
    def _epoch_file(self) -> Path:
        return self.card.logs / "wandb" / EPOCH_FILE

    def _last_epoch(self) -> int:
        """The last epoch that the server has of this run, or that earlier offline files hold."""
        known = [-1]
        with _guard("the earlier epochs"):
            known.append(int(self.run.summary.get("epoch", -1)) if self.run.resumed else -1)
            if self._epoch_file.exists():
                known.append(int(self._epoch_file.read_text()))
        return max(known)

    def _kept(self, epoch: int) -> None:
        write_text(self._epoch_file, str(epoch))


class _Guarded(OncePerEpoch):
    """The logger of the training: what fails in it is W&B's business, not the training's.

    Args:
        inner, last: as for `OncePerEpoch`.
        kept: is told each epoch that was passed on.
    """

    def __init__(self, inner: Logger, last: int, kept: Callable[[int], None] | None = None) -> None:
        super().__init__(inner, last)
        self._tell = kept

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Passed on, unless it is a row of an epoch that the logger has."""
        before = self.last
        with _guard("the metrics"):
            super().log_metrics(metrics, step)
            if self._tell is not None and self.last > before:
                self._tell(self.last)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Passed on."""
        with _guard("the configuration"):
            super().log_hyperparams(params, *args, **kwargs)

    def finalize(self, status: str) -> None:
        """Passed on."""
        with _guard("the end of the run"):
            super().finalize(status)


@contextmanager
def _guard(what: str) -> Iterator[None]:
    """Log what goes wrong inside, in one line, instead of raising it."""
    try:
        yield
    except Exception as error:
        log.warning("W&B: %s could not be sent: %s", what, one_line(error))


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Lightning writes `offline` into the environment, where it would hold for the sweep's next job too."""
    before = os.environ.get("WANDB_MODE")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("WANDB_MODE", None)
        else:
            os.environ["WANDB_MODE"] = before
