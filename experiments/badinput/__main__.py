"""`python -m experiments.badinput [-k PATTERN] [-j JOBS]`: every case, its exit status and its message in a
table.
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.table import Table

from experiments.badinput import (
    cache_cases,
    check_cases,
    collect_cases,
    command_cases,
    config_cases,
    encoder_cases,
    import_cases,
    inspect_cases,
    lost_work_cases,
    name_cases,
    pool_cases,
    public_cases,
    route_file_cases,
    router_cases,
    semantic_cases,
    value_cases,
)
from experiments.badinput.case import Case, Verdict, run
from experiments.badinput.workspace import Workspace, build, copy, sums
from prefillroute.text.printing import say
from prefillroute.text.screen import Screen

CASES = (
    *config_cases.CASES,
    *command_cases.CASES,
    *pool_cases.CASES,
    *check_cases.CASES,
    *import_cases.CASES,
    *public_cases.CASES,
    *value_cases.CASES,
    *name_cases.CASES,
    *cache_cases.CASES,
    *encoder_cases.CASES,
    *lost_work_cases.CASES,
    *router_cases.CASES,
    *route_file_cases.CASES,
    *collect_cases.CASES,
    *inspect_cases.CASES,
    *semantic_cases.CASES,
)


def main() -> int:
    """Build the workspace, run the cases, print the table; 1 when a case is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m experiments.badinput", description=__doc__)
    parser.add_argument("-k", dest="pattern", default="", help="only cases whose name matches this pattern")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="cases at a time")
    arguments = parser.parse_args()
    cases = [case for case in CASES if re.search(arguments.pattern, case.name)]
    screen = Screen()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="badinput-") as folder:
        say("making a pool, an encoder, a cache and a run ...")
        base = build(Path(folder) / "base")
        before = sums(base.root)

        def one(numbered: tuple[int, Case]) -> Verdict:
            number, case = numbered
            verdict = run(case, copy(base, Path(folder) / f"case{number}"))
            shutil.rmtree(Path(folder) / f"case{number}")
            faults = f"  <- {'; '.join(verdict.faults)}" if verdict.faults else ""
            say(f"[{verdict.status}] {case.name}: {verdict.message}{faults}")
            return verdict

        with ThreadPoolExecutor(arguments.jobs) as pool:
            verdicts = list(pool.map(one, enumerate(cases)))
        untouched = sums(Workspace(base.root).root) == before
    screen.table(_table(screen, verdicts))
    failed = [verdict for verdict in verdicts if verdict.faults]
    say(
        f"{len(verdicts)} cases, {len(failed)} not as they must be, {time.perf_counter() - start:.0f} s; "
        f"the first run's files are {'untouched' if untouched else 'CHANGED'}"
    )
    return 1 if failed or not untouched else 0


def _table(screen: Screen, verdicts: list[Verdict]) -> Table:
    table = Table("case", "status", "message", show_lines=False)
    for verdict in verdicts:
        style = "red" if verdict.faults else ""
        faults = f"{'; '.join(verdict.faults)}: " if verdict.faults else ""
        message = screen.styled((faults, "red"), verdict.message)
        table.add_row(verdict.case.name, screen.styled((str(verdict.status), style)), message)
    return table


if __name__ == "__main__":
    sys.exit(main())
