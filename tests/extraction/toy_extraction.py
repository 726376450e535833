"""Run as a process of its own: `toy_extraction.py MODEL CACHES [KILL_AT]` extracts twelve prompts of mixed length."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.encoder import PrefillEncoder
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.run import extract

PROMPTS = [f"Question {i}: " + "why " * (7 * i % 11) for i in range(12)]


def main(model: str, caches: str, kill_at: int) -> None:
    facts = EncoderConfig(
        name="toy", repo=model, num_layers=4, hidden_size=32, context_length=512, params_b=0.1
    )
    options = ExtractionOptions(device="cpu", tokens_per_batch=200)
    calls, pwrite = 0, os.pwrite

    def fatal(*args):
        nonlocal calls
        calls += 1
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return pwrite(*args)

    os.pwrite = fatal
    report = extract(
        PrefillEncoder(facts, options), [f"q{i}" for i in range(12)], PROMPTS, Path(caches), options
    )
    print(report.new_rows, report.reused_rows, calls)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
