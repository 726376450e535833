"""This machine: submitit starts a process per job, which goes on when the command that started it has ended."""

import os
import signal
from collections.abc import Sequence

from prefillroute.jobs.schedulers.contract import Place, Scheduler, Submission
from prefillroute.locks.holder import Holder


class Local(Scheduler):
    """Knows jobs by the processes that submitit started for them."""

    def places(self, submissions: Sequence[Submission]) -> dict[str, Place]:
        """Jobs whose process runs; of another machine's processes nothing is known, so they count as running."""
        holders = {submission.job: Holder(**submission.details) for submission in submissions}
        return {
            job: Place(True, f"process {holder.pid} on {holder.host}")
            for job, holder in holders.items()
            if not holder.gone
        }

    def ending(self, submission: Submission) -> str:
        """Nothing is recorded of a process that has ended."""
        return ""

    def cancel(self, submissions: Sequence[Submission]) -> None:
        """SIGTERM, which submitit's process passes on to the job."""
        for submission in submissions:
            holder = Holder(**submission.details)
            if not holder.gone and holder.is_here:
                os.kill(holder.pid, signal.SIGTERM)
