"""Run as a process of its own: `toy_extraction.py MODEL FOLDER SEED`.

Extracts twelve prompts of mixed length three times, each in a process of its own: undisturbed into FOLDER/whole; into
FOLDER/killed with a SIGKILL at a random write; and there again. The processes are forked before torch has started any
thread, so that its import, which takes seconds, is paid once.
"""

import os
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from tests.extraction.fatal_write import die_at_write

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]


def extract_toy(model: str, caches: Path, kill_at: int) -> None:
    facts = EncoderConfig(
        name="toy", repo=model, num_layers=4, hidden_size=32, context_length=512, params_b=0.1
    )
    writes = die_at_write(kill_at)
    ids = [f"q{i}" for i in range(12)]
    backend = TransformersBackend(facts, ReadRequest(), device="cpu", tokens_per_batch=200)
    report = extract(backend, ids, PROMPTS, caches)
    (caches / "report").write_text(f"{report.new_rows} {report.reused_rows} {writes()}")


def in_a_process(model: str, caches: Path, kill_at: int = 0) -> int:
    if (child := os.fork()) == 0:
        extract_toy(model, caches, kill_at)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(model: str, folder: Path, seed: int) -> None:
    assert in_a_process(model, folder / "whole") == 0
    calls = int((folder / "whole" / "report").read_text().split()[2])
    kill_at = random.Random(seed).randrange(calls // 4, calls - 5)
    assert in_a_process(model, folder / "killed", kill_at) == -signal.SIGKILL
    assert not (folder / "killed" / "report").exists()
    assert in_a_process(model, folder / "killed") == 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
