"""`python -m experiments.environments [-k PATTERN] [--ci] [--tests FOLDER ...]`: every environment, its outcome, its
time.
"""

import argparse
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from experiments.environments.case import QUICK, Case, NotRun, lay_out
from experiments.environments.cases import CASES
from prefillroute.text.printing import say


def main() -> int:
    """Run the cases one after another and print the table; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m experiments.environments", description=__doc__)
    parser.add_argument("-k", dest="pattern", default="", help="only cases whose name matches this pattern")
    parser.add_argument("--ci", action="store_true", help="only those that cost under a minute")
    parser.add_argument("--tests", nargs="*", default=QUICK, help="to run in each; `tests` for all")
    arguments = parser.parse_args()
    cases = [c for c in CASES if re.search(arguments.pattern, c.name) and (c.in_ci or not arguments.ci)]
    outcomes = [_outcome(case, tuple(arguments.tests)) for case in cases]
    counts = {kind: outcomes.count(kind) for kind in ("passed", "failed", "not run")}
    say(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["failed"] or not outcomes else 0


def _outcome(case: Case, tests: tuple[str, ...]) -> str:
    started, processor = time.perf_counter(), _processor()
    with tempfile.TemporaryDirectory(prefix="environment-", ignore_cleanup_errors=True) as folder:
        # Another user has to reach what lies in it.
        Path(folder).chmod(0o755)
        try:
            fault = case.check(case.prepare(lay_out(Path(folder) / "place")), tests)
            outcome = "failed" if fault else "passed"
        except NotRun as reason:
            outcome, fault = "not run", str(reason)
    seconds = time.perf_counter() - started
    say(
        f"{outcome:<8}{seconds:6.0f} s {_processor() - processor:5.0f} s processor  {case.name}"
        + (f": {fault}" if fault else ""),
    )
    return outcome


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
