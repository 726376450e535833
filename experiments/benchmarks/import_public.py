"""Speed and memory of `prefillroute import` of public data sets, one per shape, each in a process of its own.

    python experiments/benchmarks/import_public.py

Half a million outcomes (or `--outcomes`) in the layout of EmbedLLM (long CSV), RouterBench (wide, as Parquet and as a
pickle), SPROUT (structs) and RouterArena (JSON lines), with prompts of about 80 words and, where the owners have them,
answers of about 100. What is measured is the whole command: read, check, join, write. Wall time and the greatest memory
that the process held, its libraries included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.cli.main import main as prefillroute
from prefillroute.text.printing import say

WORDS = ("route", "query", "prefill", "tokens, with a comma", "naïve", "答え", 'a "quoted" word', "42")
WRITE, MEASURE = "--write", "--measure"
"""First words of the processes that this one starts: a process keeps the greatest memory of the one that started it."""


def texts(count: int, num_words: int, seed: int) -> list[str]:
    """Different texts."""
    generator = np.random.default_rng(seed)
    return [
        f"{row} " + " ".join(words) for row, words in enumerate(generator.choice(WORDS, (count, num_words)))
    ]


def write_embedllm(folder: Path, outcomes: int) -> list[str]:
    """112 models; three files."""
    num_models = 112
    prompts = texts(outcomes // num_models + 1, 80, seed=0)
    generator = np.random.default_rng(1)
    query = np.repeat(np.arange(len(prompts)), num_models)[:outcomes]
    table = pd.DataFrame(
        {
            "prompt_id": query,
            "model_id": np.tile(np.arange(num_models), len(prompts))[:outcomes],
            "category_id": query % 80,
            "label": generator.integers(0, 2, outcomes),
            "prompt": np.array(prompts, dtype=object)[query],
            "model_name": np.array([f"org__model-{index}" for index in range(num_models)] * len(prompts))[
                :outcomes
            ],
            "category": np.array([f"mmlu_{index}" for index in range(80)])[query % 80],
        }
    )
    part = np.array(["train", "val", "test"])[np.digitize(query % 10, [8, 9])]
    for name, rows in table.groupby(part):
        rows.to_csv(folder / f"{name}.csv", index=False)
    return ["embedllm"]


def wide(outcomes: int) -> pd.DataFrame:
    """11 models with answers."""
    generator = np.random.default_rng(2)
    count = outcomes // 11
    table: dict[str, Any] = {
        "sample_id": [f"mmlu.{row}" for row in range(count)],
        "prompt": [str([text]) for text in texts(count, 80, seed=3)],
        "eval_name": [f"mmlu-{row % 57}" for row in range(count)],
    }
    answers = np.array(texts(1000, 100, seed=4), dtype=object)
    for index in range(11):
        table[f"org/model-{index}"] = generator.random(count).round(2)
        table[f"org/model-{index}|model_response"] = answers[generator.integers(0, 1000, count)]
        table[f"org/model-{index}|total_cost"] = generator.random(count) / 1000
    return pd.DataFrame(table)


def write_wide_parquet(folder: Path, outcomes: int) -> list[str]:
    """The table of RouterBench as Parquet."""
    wide(outcomes).to_parquet(folder / "routerbench_0shot.parquet")
    return ["routerbench"]


def write_wide_pickle(folder: Path, outcomes: int) -> list[str]:
    """The table of RouterBench as its owners publish it."""
    wide(outcomes).to_pickle(folder / "routerbench_0shot.pkl")
    return ["routerbench", "--trust-pickle"]


def write_sprout(folder: Path, outcomes: int) -> list[str]:
    """13 models with answers, in three files."""
    generator = np.random.default_rng(5)
    answers = np.array(texts(1000, 100, seed=6), dtype=object)
    for number, name in enumerate(("train", "validation", "test")):
        count = int(outcomes // 13 * (0.8, 0.1, 0.1)[number])
        columns = {"dataset": ["math"] * count, "prompt": texts(count, 80, seed=7 + number)}
        for index in range(13):
            fields = {
                "score": generator.random(count).round(1),
                "num_input_tokens": generator.integers(5, 500, count),
                "num_output_tokens": generator.integers(1, 2000, count),
                "response": answers[generator.integers(0, 1000, count)],
            }
            columns[f"openai-model-{index}"] = pa.StructArray.from_arrays(
                [pa.array(cells) for cells in fields.values()], list(fields)
            )
        pq.write_table(pa.table(columns), folder / f"{name}-00000-of-00001.parquet", row_group_size=10_000)
    return ["sprout"]


def write_routerarena(folder: Path, outcomes: int) -> list[str]:
    """60 models, a file each."""
    generator = np.random.default_rng(10)
    count = outcomes // 60
    prompts, answers = texts(count, 80, seed=11), texts(100, 100, seed=12)
    (folder / "cached_results").mkdir()
    for model in range(60):
        with (folder / "cached_results" / f"model-{model}.jsonl").open("w", encoding="utf-8") as file:
            for row, prompt in enumerate(prompts):
                record = {
                    "global_index": f"MMLU_{row}",
                    "question": prompt,
                    "llm_selected": f"org/model-{model}",
                    "generated_answer": answers[row % 100],
                    "token_usage": {"input_tokens": 120, "output_tokens": 100, "total_tokens": 220},
                    "evaluation_result": {"score": float(generator.integers(0, 2)), "inference_cost": 0.001},
                }
                file.write(json.dumps(record) + "\n")
    return ["routerarena"]


WRITERS: dict[str, Callable[[Path, int], list[str]]] = {
    "long CSV": write_embedllm,
    "wide Parquet": write_wide_parquet,
    "wide pickle": write_wide_pickle,
    "struct Parquet": write_sprout,
    "JSON lines": write_routerarena,
}


def measure(words: list[str]) -> None:
    """Run the command in this process; print seconds and the greatest memory in MiB."""
    start = time.perf_counter()
    assert prefillroute(words) == 0, words
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(json.dumps({"seconds": seconds, "peak_mib": peak}))


def last_line(*words: str | Path) -> Any:
    """What a process of this program printed last."""
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a line per shape."""
    if sys.argv[1:2] == [WRITE]:
        shape, folder, outcomes = sys.argv[2:]
        say(json.dumps(WRITERS[shape](Path(folder), int(outcomes))))
        return
    if sys.argv[1:2] == [MEASURE]:
        measure(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outcomes", type=int, default=500_000)
    parser.add_argument("--shapes", nargs="+", choices=WRITERS, default=list(WRITERS))
    arguments = parser.parse_args()
    for shape in arguments.shapes:
        with tempfile.TemporaryDirectory() as name:
            source, out = Path(name) / "source", Path(name) / "out"
            source.mkdir()
            layout, *options = last_line(WRITE, shape, source, str(arguments.outcomes))
            found = last_line(MEASURE, "import", layout, source, "--out", out, *options)
            size = sum(file.stat().st_size for file in source.rglob("*") if file.is_file())
            rows = pq.read_metadata(out / "outcomes.parquet").num_rows
            say(
                f"{shape:15}{size / 1e6:6.0f} MB, {rows:,} outcomes: {rows / found['seconds']:9,.0f} rows/s, "
                f"{found['seconds']:5.1f} s, {found['peak_mib']:6,.0f} MiB at most"
            )


if __name__ == "__main__":
    main()
