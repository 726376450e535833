"""Run as a process of its own: `toy_array.py MODEL FOLDER SEED`.

Extracts 32 prompts in one process into FOLDER/whole, and in an array of four into FOLDER/array. One job of the array
gets a SIGKILL at a random write, and the others join their files at the same moment. Then the same array runs again;
the jobs without work read what is there, and write the index only after the one with work has stored its rows. In the
meantime this process reads the index again and again. The processes are forked before torch has started any thread,
so that its import, which takes seconds, is paid once.
"""

import json
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from prefillroute.caches import index
from prefillroute.caches.keys import cache_path
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction import run
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.share import WorkShare
from tests.extraction.fatal_write import die_at_write

NUM = 4
PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) + "long " * 40 for i in range(32)]
CONTEXT = multiprocessing.get_context("fork")


def nothing() -> None:
    pass


def job(
    model: str,
    caches: Path,
    report: Path,
    share: WorkShare,
    before_joining: Callable[[], object] = nothing,
    before_writing: Callable[[], object] = nothing,
    kill_at: int = 0,
) -> None:
    writes, build_index, write = die_at_write(kill_at), run.build_index, index._write

    def join(*args):
        before_joining()
        return build_index(*args)

    def late(*args):
        before_writing()
        return write(*args)

    run.build_index, index._write = join, late
    facts = EncoderConfig(
        name="toy", repo=model, num_layers=4, hidden_size=32, context_length=512, params_b=0.1
    )
    backend = TransformersBackend(facts, ReadRequest(), device="cpu", tokens_per_batch=600)
    done = run.extract(backend, [f"q{i}" for i in range(len(PROMPTS))], PROMPTS, caches, share)
    report.write_text(json.dumps({"new": done.new_rows, "reused": done.reused_rows, "calls": writes()}))


def array(model: str, folder: Path, name: str, options: list[dict]) -> dict[str, list]:
    caches, reports = folder / "array", [folder / f"{name}-{number}" for number in range(NUM)]
    processes = [
        CONTEXT.Process(target=job, args=(model, caches, report, WorkShare(NUM, number)), kwargs=own)
        for number, (report, own) in enumerate(zip(reports, options, strict=True))
    ]
    for process in processes:
        process.start()
    path, rows = cache_path(caches, "toy", "chat"), []
    while any(process.is_alive() for process in processes):
        if path.exists():
            rows.append(len(index.read_index(path).keys))  # raises if it is half a file
    for process in processes:
        process.join()
    return {
        "codes": [process.exitcode for process in processes],
        "reports": [json.loads(file.read_text()) if file.exists() else None for file in reports],
        "seen": sorted(set(rows)),
        "keys": list(index.read_index(path).keys),
    }


def main(model: str, folder: Path, seed: int) -> None:
    whole = CONTEXT.Process(target=job, args=(model, folder / "whole", folder / "report", WorkShare()))
    whole.start()
    whole.join()
    calls = json.loads((folder / "report").read_text())["calls"]
    victim, together, stored = seed % NUM, CONTEXT.Barrier(NUM - 1), CONTEXT.Event()
    # A share makes about a quarter of the writes; its first batch is to be kept.
    kill_at = random.Random(seed).randrange(calls // 8, calls // 5)

    def at_once() -> None:
        together.wait(60)

    def after_the_victim() -> None:
        stored.wait(60)
        time.sleep(0.2)

    killed, ended = {"kill_at": kill_at}, {"before_joining": at_once}
    first = array(model, folder, "first", [killed if number == victim else ended for number in range(NUM)])
    storing, idle = {"before_joining": stored.set}, {"before_writing": after_the_victim}
    second = array(model, folder, "second", [storing if number == victim else idle for number in range(NUM)])
    (folder / "result").write_text(json.dumps({"first": first, "second": second}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
