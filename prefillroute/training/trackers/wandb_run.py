"""One W&B run per job: opened, filled and closed so that W&B can never stop, delay or fail the training.

What goes wrong with W&B is logged in one line, which says how to upload later; the training goes on.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wandb
from pytorch_lightning.loggers import Logger
from pytorch_lightning.loggers.logger import DummyLogger

from prefillroute.config.guard import one_line
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.preemption import Preempted
from prefillroute.reports.run_folder import read_metrics
from prefillroute.reports.tracked import summary_numbers
from prefillroute.text import hints
from prefillroute.training.trackers.contract import RunCard, RunSources, Tracker
from prefillroute.training.trackers.guarded import Guard, GuardedLogger, within
from prefillroute.training.trackers.wandb_artifacts import made_artifacts, source_artifacts
from prefillroute.training.trackers.wandb_charts import charts

log = logging.getLogger(__name__)

MARGIN_S = 5.0
"""What W&B's own process gets on top of a wait for the server, before it counts as frozen."""
OFFLINE_S = 60.0
"""Longest wait, at each end, where a run is written offline for lack of a server: only a busy machine needs it."""
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
        self._guard = Guard("W&B")
        inner, self.mode = self._open(make)
        self.run = inner.experiment
        self.logger = GuardedLogger(
            inner, self._guard, self._last_epoch(), self._remember if self.mode == "offline" else None
        )

    def begin(self) -> None:
        """Configuration, choices and the x-axis of the losses."""
        if self.mode == "none":
            return
        with self._guard("the configuration"):
            extra = {"choices": dict(self.card.choices), "run_folder": str(self.card.folder.resolve())}
            if self.card.command is not None:
                extra["sweep"] = {"name": self.card.sweep, "command": self.card.command}
            self.run.config.update({**self.card.config, **extra}, allow_val_change=True)
            self.run.define_metric("epoch", hidden=True)
            for keys in _PER_EPOCH:
                self.run.define_metric(keys, step_metric="epoch", step_sync=False)
            if self.mode == "online":
                within(
                    self.wait_s, self.run._public_api
                )  # asks for what the charts would wait for at the end

    def measured(self, metrics: Mapping[str, Any]) -> None:
        """Nothing yet: numbers go with their intervals, when the run folder is complete."""

    def wrote(self, sources: Callable[[], RunSources]) -> None:
        """Numbers and intervals into the summary; tables and charts; the artifacts that the run used and made."""
        if self.mode in ("disabled", "none"):
            return
        folder = self.card.folder
        with self._guard("the artifacts"):
            self._publish(source_artifacts(sources()), used=True)
            self._publish(made_artifacts(folder, self.card.id, self.upload_bundle), used=False)
        with self._guard("the summary"):
            metrics = read_metrics(folder)
            self.run.summary.update(summary_numbers(metrics))
        with self._guard("the charts"):
            shown = charts(folder, metrics, self.card.choices.get("encoder", "none"))
            within(self.wait_s, lambda: self.run.log(shown))  # asks the server about each table

    def end(self, error: BaseException | None = None) -> None:
        """Mark the run as finished, failed with its reason, or about to be preempted; wait at most `wait_s`."""
        if self.mode == "none":
            return
        with self._guard("the end of the run"):
            self.logger.finalize("success" if error is None else "failed")
            if isinstance(error, Preempted):
                self.run.mark_preempting()
            elif error is not None:
                self.run.summary["error"] = one_line(error) or type(error).__name__
        code = 0 if error is None else 1
        limit = OFFLINE_S if self.mode == "offline" else self.wait_s
        try:
            # The second limit is for the case that W&B's own process, which keeps the first, does not answer.
            within(limit + MARGIN_S, lambda: self.run.finish(exit_code=code))
        except Exception as problem:
            late = f"not all was uploaded within {limit:g} s"
            said = late if isinstance(problem, TimeoutError) else _reason(problem)
            log.warning("W&B: %s; later: %s", said, self._sync_command())
            _drop_service()
        else:
            if self.mode == "offline":
                log.info("W&B: upload with: %s", self._sync_command())

    def _open(self, make: Callable[..., Logger]) -> tuple[Any, str]:
        """Open the run as the environment says; where that fails, offline; where this fails too, not at all.

        Returns:
            The logger, and `online`, `offline`, `disabled` (by the user), or `none` if nothing could be opened.
        """
        card = self.card
        chosen: dict[str, Any] = {
            "id": card.id, "resume": "allow", "name": card.name or None, "group": card.sweep,
            "tags": [f"{group}={option}"[:64] for group, option in card.choices.items()],
        }  # fmt: skip
        problem = ""
        offline: dict[str, Any] = {"mode": "offline"}
        for mode, limit_s in (({}, self.wait_s), (offline, OFFLINE_S)):
            settings = wandb.Settings(
                init_timeout=limit_s, login_timeout=limit_s, finish_timeout=limit_s,
                finish_timeout_raises=True, **mode,
            )  # fmt: skip
            try:
                with _environment_kept():
                    logger: Any = make(**chosen, settings=settings)
                    opened = str(logger.experiment.settings.mode)
            except Exception as error:
                problem = _reason(error)
                _drop_service()
                continue
            if problem:
                sync = hints.command("wandb", "sync", Path(logger.experiment.settings.sync_dir))
                log.warning("W&B: %s; this run is written offline, upload it later: %s", problem, sync)
            return logger, {"dryrun": "offline", "run": "online", "shared": "online"}.get(opened, opened)
        log.warning("W&B: %s; nothing is sent, the numbers are in %s", problem, card.folder)
        return DummyLogger(), "none"

    def _publish(self, artifacts: Iterable[wandb.Artifact], used: bool) -> None:
        """Hand artifacts to W&B's own process, as an offline run does.

        `log_artifact` and `use_artifact` ask the server first, and wait for it; without it, `use_artifact` refuses.
        """
        for artifact in artifacts:
            self.run._interface.publish_artifact(
                self.run, artifact, ["latest"], is_user_created=used, use_after_commit=used
            )

    def _sync_command(self) -> str:
        return hints.command("wandb", "sync", Path(self.run.settings.sync_dir))

    @property
    def _epoch_file(self) -> Path:
        """Beside W&B's own files: the last epoch that an offline run holds, for the process that resumes it."""
        return self.card.logs / "wandb" / f"epoch-{self.card.id}"

    def _last_epoch(self) -> int:
        """The last epoch that the server has of this run, or that earlier offline files hold."""
        known = [-1]
        with self._guard("the earlier epochs"):
            if self.mode == "online" and self.run.resumed:
                known.append(int(self.run.summary.get("epoch", -1)))
            if self._epoch_file.exists():
                known.append(int(self._epoch_file.read_text()))
        return max(known)

    def _remember(self, epoch: int) -> None:
        write_text(self._epoch_file, str(epoch))


def _reason(error: BaseException) -> str:
    return one_line(error).rstrip(".;") or type(error).__name__


def _drop_service() -> None:
    """End W&B's own process, which would refuse the run's id as one in use; the next run starts another one.

    A run whose process died stays the current one and goes on capturing what is printed, unless it is taken away.
    """
    left, wandb.run = wandb.run, None
    own = getattr(
        getattr(wandb.setup(), "_connection", None), "_proc", None
    )  # None: another process started it
    steps: list[Callable[[], object]] = [wandb.teardown]
    steps += [] if left is None else [left._restore]
    steps += [] if own is None else [own._process.kill, own.join]
    for step in steps:
        try:
            within(MARGIN_S, step)
        except Exception as error:
            log.debug("W&B: %s", _reason(error))


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
