"""What an extraction did, for people and for the summary of a sweep."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from prefillroute.config.guard import say_error
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.plan import read_plan, write_plan
from prefillroute.jobs.states import JobState, missing, read_states
from prefillroute.text.printing import say

REPORT_FILE = "extraction.json"
"""In a job's folder: its `ExtractionReport`."""


@dataclass(frozen=True)
class ExtractionReport:
    """What an extraction did."""

    path: Path
    """The cache's index file."""
    queries: int
    new_rows: int
    reused_rows: int
    truncated: int
    """Queries whose middle was cut."""
    sharing: int
    """Different texts that share a row because of that."""
    damaged: int
    """Rows that failed their checksum and were extracted again (`share.verify`)."""
    padding: float
    """Share of padding among the tokens of this run's batches."""
    tokens: int
    """Real tokens fed in this run."""
    seconds: float
    """Time from the first batch to the last, including writing but not loading and checking the model."""

    def lines(self) -> list[str]:
        """A summary for people to read."""
        lines = [self.headline()]
        if self.tokens:
            speed = f"{self.tokens / self.seconds:,.0f} tokens/s"
            lines.append(
                f"{self.tokens:,} tokens in {self.seconds:.1f} s, {speed}; padding {self.padding:.1%} of what was fed"
            )
        lines.append(
            f"{self.truncated} queries were longer than the limit and lost their middle; "
            f"{self.sharing} different texts share a row because of that"
        )
        if self.damaged:
            lines.append(f"{self.damaged} damaged rows were extracted again")
        return lines

    def headline(self) -> str:
        """The most important numbers in one line."""
        return f"{self.path}: {self.queries} queries, {self.new_rows} rows new, {self.reused_rows} reused"

    def write(self, folder: Path) -> None:
        """Write `REPORT_FILE`, the fields as JSON."""
        write_text(
            folder / REPORT_FILE, json.dumps({**asdict(self), "path": str(self.path)}, indent=1) + "\n"
        )

    @classmethod
    def read(cls, folder: Path) -> "ExtractionReport":
        """Inverse of `write`.

        Raises:
            UserError: the file is missing or not complete.
        """
        try:
            values = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
            return cls(**{**values, "path": Path(values["path"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{folder / REPORT_FILE}: expected the report of an extraction, found none"
            ) from error


class ExtractionSweep(Callback):
    """Hydra callback that prints what every job of a sweep did, as the jobs' folders tell it, after the last job."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write sweep.json, and log how to resume after an interruption."""
        write_plan(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print one line for each job; exit with status 1 if one failed or never began."""
        folder = Path(config.hydra.sweep.dir)
        # SystemExit passes Hydra's callback guard, which turns ordinary exceptions into warnings.
        try:
            states = read_states(folder)
        except (UserError, OSError) as error:
            say_error(error)
            raise SystemExit(1) from None
        plan = read_plan(folder)
        never_began = missing(plan.jobs or (), [state.overrides for state in states])
        failed = [state for state in states if state.error is not None]
        say(*(f"{_name(state)}: {_result(folder, state)}" for state in states))
        if failed or never_began:
            say(
                f"{len(failed)} of {len(states) + never_began} jobs failed, {never_began} never began; go on with:"
            )
            say(plan.command)
            raise SystemExit(1)


def _name(state: JobState) -> str:
    return " ".join([state.folder, *(f"{key}={value}" for key, value in state.overrides.items())])


def _result(folder: Path, state: JobState) -> str:
    if state.error is not None:
        return f"failed: {state.error}"
    try:
        return ExtractionReport.read(folder / state.folder).headline()
    except UserError as error:
        return str(error)
