"""Run as a process of its own: `vllm_extraction.py PYTHON MODEL CACHES KILL_AT`.

Extracts 40 prompts of mixed length with vLLM, and kills itself with SIGKILL at write number KILL_AT (0: never). Leaves
the number of its vLLM process in CACHES/worker, and at its end what it did in CACHES/report.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.backends.vllm import VllmBackend
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from tests.extraction.fatal_write import die_at_write

PROMPTS = [f"Question {i}: " + "why " * (17 * i % 37) for i in range(40)]
IDS = [f"q{i}" for i in range(40)]


def main(python: str, model: str, caches: Path, kill_at: int) -> None:
    facts = EncoderConfig(
        name="toy", repo=model, num_layers=4, hidden_size=256, context_length=512, params_b=0.1
    )
    writes = die_at_write(kill_at)
    caches.mkdir(exist_ok=True)
    backend = VllmBackend(facts, ReadRequest(max_length=300), python=python, tokens_per_batch=500)
    backend.load(backend.layer_ids, backend.poolings)
    (caches / "worker").write_text(str(backend._worker._process.pid))
    report = extract(backend, IDS, PROMPTS, caches)
    backend.close()
    (caches / "report").write_text(f"{report.new_rows} {report.reused_rows} {writes()}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
