"""What a sweep will cost in hours, from jobs that have finished and the limits that its preset sets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefillroute.jobs.status import STATUS_FILE, read_status


def measured(sweep_dir: Path) -> list[float]:
    """Seconds of each job of a sweep that has finished, all its starts together."""
    statuses = [read_status(path.parent) for path in sorted(sweep_dir.rglob(STATUS_FILE))]
    return [status.seconds for status in statuses if status is not None and status.state == "finished"]


@dataclass(frozen=True)
class Price:
    """What one job holds while it runs, and how many run at once."""

    gpus: int
    limit_minutes: float
    at_once: int

    @classmethod
    def of(cls, executor: Any, at_once: int) -> "Price":
        """From the parameters of a submitit executor."""
        parameters = executor._executor.parameters
        gpus = int(parameters.get("gpus_per_node") or 0) * int(parameters.get("nodes") or 1)
        return cls(gpus, float(parameters.get("time", parameters.get("timeout_min", 0))), at_once)

    def lines(self, jobs: int, seconds: Sequence[float]) -> list[str]:
        """The price of so many more jobs, for people.

        Args:
            jobs: how many are to be submitted.
            seconds: what finished jobs of the sweep took.

        Example:
            >>> print(*Price(gpus=2, limit_minutes=240, at_once=4).lines(8, [1700, 1900]), sep="\\n")
            8 jobs would be submitted, 4 at once, each with 2 GPUs for at most 4.0 h
            a finished job took 0.50 h (median of 2): 4.0 job hours, 8.0 GPU hours, about 1.0 h from start to end
            the limits allow at most 32.0 job hours and 64.0 GPU hours
            >>> Price(gpus=0, limit_minutes=30, at_once=1).lines(1, [])[1]
            'no job of this sweep has finished, so its time is not known; add --probe to run one here and time it'
        """
        with_gpus = f" with {self.gpus} GPU{'s' * (self.gpus > 1)}" if self.gpus else ""
        limit = self.limit_minutes / 60
        lines = [
            f"{jobs} job{'s' * (jobs != 1)} would be submitted, {min(jobs, self.at_once) or self.at_once} at once, "
            f"each{with_gpus} for at most {limit:.1f} h"
        ]
        if seconds:
            each = statistics.median(seconds) / 3600
            rounds = -(-jobs // self.at_once)
            lines.append(
                f"a finished job took {each:.2f} h (median of {len(seconds)}): {self._hours(jobs * each)}, about "
                f"{rounds * each:.1f} h from start to end"
            )
        else:
            lines.append(
                "no job of this sweep has finished, so its time is not known; add --probe to run one here and time it"
            )
        gpu = f" and {jobs * limit * self.gpus:.1f} GPU hours" if self.gpus else ""
        lines.append(f"the limits allow at most {jobs * limit:.1f} job hours{gpu}")
        return lines

    def _hours(self, hours: float) -> str:
        gpu = f", {hours * self.gpus:.1f} GPU hours" if self.gpus else ""
        return f"{hours:.1f} job hours{gpu}"
