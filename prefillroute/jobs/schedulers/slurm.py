"""SLURM, by `squeue`, `sacct`, `scontrol` and `scancel`."""

import getpass
import subprocess
from collections.abc import Sequence

from prefillroute.errors import UserError
from prefillroute.jobs.schedulers.contract import Place, Scheduler, Submission

TIMEOUT_S = 60.0
"""A controller under load answers within seconds; one that is down would keep its clients waiting for minutes."""


class Slurm(Scheduler):
    """Needs nothing but the controller: where there is no accounting, `sacct` is not asked again and again."""

    def places(self, submissions: Sequence[Submission]) -> dict[str, Place]:
        """One call of `squeue` for all jobs."""
        wanted = {submission.job for submission in submissions}
        if not wanted:
            return {}
        # All of the user's: squeue refuses a list in which it does not know one job.
        said = _run("squeue", "--noheader", "--array", f"--user={getpass.getuser()}", "--format=%i|%T|%r")
        places = {}
        for line in said.splitlines():
            job, state, reason = line.split("|", 2)
            if job in wanted:
                words = state if reason in ("None", "") else f"{state} ({reason})"
                places[job] = Place(
                    state not in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"), words
                )
        return places

    def ending(self, submission: Submission) -> str:
        """From accounting, or where there is none from what the controller still remembers."""
        try:
            said = _run(
                "sacct", "--parsable2", "--noheader", f"--jobs={submission.job}",
                "--format=JobID,State,ExitCode,MaxRSS,ReqMem,Elapsed,Timelimit,NodeList",
            )  # fmt: skip
        except UserError:
            return self._remembered(submission)
        rows = [line.split("|") for line in said.splitlines() if line.count("|") == 7]
        if not rows:
            return self._remembered(submission)
        _, state, code, _, requested, elapsed, limit, nodes = rows[0]
        peak = max((_kib(row[3]) for row in rows), default=0)
        memory = f", peak memory {peak / 1024:,.0f} MiB of {requested}" if peak else ""
        return f"SLURM: {state}, exit status {code}{memory}, {elapsed} of {limit} on {nodes}"

    def cancel(self, submissions: Sequence[Submission]) -> None:
        """`scancel` with all jobs at once."""
        if submissions:
            _run("scancel", *(submission.job for submission in submissions))

    def _remembered(self, submission: Submission) -> str:
        try:
            said = _run("scontrol", "show", "job", "--oneliner", submission.job)
        except UserError:
            return ""
        found = dict(word.partition("=")[::2] for word in said.split() if "=" in word)
        return (
            f"SLURM: {found.get('JobState')} ({found.get('Reason')}), exit status {found.get('ExitCode')}, "
            f"{found.get('RunTime')} of {found.get('TimeLimit')} on {found.get('NodeList')}; no accounting, so no peak "
            "memory"
        )


def _run(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S)
    except FileNotFoundError:
        raise UserError(
            f"{words[0]}: expected SLURM's commands on the PATH, found none; run this on a login node of the cluster"
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{words[0]}: expected an answer within {TIMEOUT_S:.0f} s, found none") from None
    if done.returncode:
        raise UserError(f"{words[0]}: {' '.join(done.stderr.split()) or f'exit status {done.returncode}'}")
    return done.stdout


def _kib(text: str) -> float:
    """`1234K` or `1.5M` as KiB; 0 for an empty field."""
    if not text:
        return 0.0
    factors = {"K": 1.0, "M": 1024.0, "G": 1024.0**2, "T": 1024.0**3}
    return float(text[:-1]) * factors[text[-1]] if text[-1] in factors else float(text) / 1024
