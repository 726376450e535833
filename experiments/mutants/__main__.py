"""`python -m experiments.mutants [--rooms ROOM ...] [--sample N] [--seed S]`: do the tests notice planted faults?

Small faults (another comparison, an operator, an axis, a dropped keyword, ...) are planted one at a time in a copy of
the tree, never in the tree itself; for each, the tests that execute its line are run until one fails. Results are kept
as they come, so that the same command goes on after a stop; a change of package or tests begins anew.
"""

import argparse
import difflib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.mutants.mutations import Mutant, mutants_of
from experiments.mutants.tree import USED_BY, Tree
from prefillroute.text.printing import say

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Try a sample of mutants; 1 where too many survive."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.mutants", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--rooms", nargs="+", choices=list(USED_BY), default=list(USED_BY), metavar="ROOM")
    parser.add_argument("--sample", type=int, default=300, help="mutants over all rooms (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds for one mutant in a folder of tests (default 600)"
    )
    parser.add_argument("--wanted", type=float, default=0.95, help="share that must be killed (default 0.95)")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/mutants"), help="where the copy and the results lie"
    )
    arguments = parser.parse_args()

    tree = Tree.copy(CHECKOUT, arguments.work)
    everywhere = [(room, mutant) for room in arguments.rooms for mutant in room_mutants(tree, room)]
    sample = random.Random(arguments.seed).sample(everywhere, min(arguments.sample, len(everywhere)))
    sample.sort(key=lambda pair: (pair[0], pair[1].path, pair[1].line))
    say(
        f"{len(sample)} of {len(everywhere)} mutants of {', '.join(arguments.rooms)}; copy and results: {tree.root}"
    )
    results = tree.root / "results.jsonl"
    known = read_results(results)
    if known and not results.read_bytes().endswith(b"\n"):
        results.write_bytes(results.read_bytes() + b"\n")  # a stop in the middle of a line
    line_map = tree.line_map(arguments.rooms)
    for number, (room, mutant) in enumerate(sample, start=1):
        if mutant.name not in known:
            tests = tree.tests_of(room, mutant, line_map)
            verdict, took = (
                tree.try_mutant(mutant, tests, arguments.timeout) if tests else ("no test runs it", 0.0)
            )
            known[mutant.name] = {
                "mutant": mutant.name,
                "room": room,
                "verdict": verdict,
                "seconds": round(took, 1),
            }
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[mutant.name]) + "\n")
            say(f"{number:4}/{len(sample)} {verdict:9} {took:6.1f} s  {mutant.name}")
    return report(tree, [mutant for _, mutant in sample], known, arguments.wanted)


def room_mutants(tree: Tree, room: str) -> list[Mutant]:
    """Every mutant of a room."""
    return [
        mutant
        for path in tree.sources(room)
        for mutant in mutants_of(path, (tree.files / path).read_text(encoding="utf-8"))
    ]


def read_results(path: Path) -> dict[str, dict[str, Any]]:
    """Results so far, by the mutant's name; a line that was cut off by a stop is tried again."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            result = json.loads(line)
        except ValueError:
            continue
        found[result["mutant"]] = result
    return found


def report(tree: Tree, sample: Sequence[Mutant], known: dict[str, dict[str, Any]], wanted: float) -> int:
    """Print the score and every survivor with its diff."""
    alive = [mutant for mutant in sample if known[mutant.name]["verdict"] not in ("killed", "timeout")]
    for mutant in alive:
        say("", f"{known[mutant.name]['verdict']}: {mutant.name}")
        original = (tree.files / mutant.path).read_text(encoding="utf-8").splitlines()
        diff = difflib.unified_diff(
            original, mutant.source.splitlines(), mutant.path, mutant.path, n=1, lineterm=""
        )
        say(*diff)
    killed = len(sample) - len(alive)
    share = killed / len(sample) if sample else 1.0
    say("", f"{killed} of {len(sample)} mutants killed ({100 * share:.1f} %), {len(alive)} survived")
    return int(share < wanted)


if __name__ == "__main__":
    raise SystemExit(main())
