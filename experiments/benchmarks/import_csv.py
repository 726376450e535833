"""Rows per second of `prefillroute import csv`, of pyarrow's bare read and of Python's `csv`, in one run.

    python experiments/benchmarks/import_csv.py

A log of 40,000 queries x 5 targets, each prompt of about 12 and of about 150 words, as CSV, JSONL and Parquet. Ours is
the whole import: read, check every cell, join rows to queries, write both Parquet tables. Processor time, as other jobs
may share the machine; the fastest of several repeats.
"""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from prefillroute.outcomes.files import write_outcomes
from prefillroute.outcomes.importers import log
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Given
from prefillroute.text.printing import say

WORDS = ("route", "query", "prefill", "tokens, with a comma", "naïve", "答え", 'a "quoted" word', "42")


def synthetic_log(num_queries: int, num_targets: int, num_words: int, seed: int = 0) -> pd.DataFrame:
    """A user's log: one row per query and target."""
    generator = np.random.default_rng(seed)
    prompts = [
        f"{row} " + " ".join(words)
        for row, words in enumerate(generator.choice(WORDS, (num_queries, num_words)))
    ]
    rows = num_queries * num_targets
    return pd.DataFrame(
        {
            "query_id": np.repeat([f"q{row}" for row in range(num_queries)], num_targets),
            "prompt": np.repeat(prompts, num_targets),
            "target": np.tile([f"target {index}" for index in range(num_targets)], num_queries),
            "correct": generator.integers(0, 2, rows),
            "prompt_tokens": generator.integers(5, 500, rows),
            "completion_tokens": generator.integers(1, 2000, rows),
            "latency_s": generator.gamma(2.0, 1.0, rows).round(3),
            "cost_usd": generator.gamma(2.0, 1e-4, rows),
        }
    )


def fastest(run: Callable[[], object], repeats: int) -> float:
    """Least processor time in seconds of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def import_log(file: Path, out: Path) -> None:
    """What the command does."""
    collector = Collector()
    log.read(Given.at([file], log.find), collector, lambda size: None)
    queries, outcomes = collector.frames()
    write_outcomes(out, queries, outcomes)
    collector.report(outcomes)


def read_with_csv(file: Path) -> None:
    """Python's own reader, cells thrown away."""
    with file.open(encoding="utf-8", newline="") as lines:
        for _ in csv.reader(lines, strict=True):
            pass


def main() -> None:
    """Print a line per format and length of prompts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=40_000)
    parser.add_argument("--targets", type=int, default=5)
    parser.add_argument("--words", type=int, nargs="+", default=[12, 150])
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    pyarrow.set_cpu_count(1)
    bare: dict[str, Callable[[Path], object]] = {
        "csv": lambda file: pyarrow.csv.read_csv(
            file, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
        ),
        "jsonl": pyarrow.json.read_json,
        "parquet": lambda file: pyarrow.parquet.read_table(file),
    }
    with tempfile.TemporaryDirectory() as folder:
        for num_words in arguments.words:
            table = synthetic_log(arguments.queries, arguments.targets, num_words)
            for suffix, read in bare.items():
                file = Path(folder) / f"log.{suffix}"
                if suffix == "csv":
                    table.to_csv(file, index=False)
                elif suffix == "jsonl":
                    rows = (json.dumps(row, ensure_ascii=False) for row in table.to_dict("records"))
                    file.write_text("\n".join(rows), encoding="utf-8")
                else:
                    table.to_parquet(file, index=False)
                read(file)  # what is loaded once is not counted
                theirs = fastest(partial(read, file), arguments.repeats)
                ours = fastest(partial(import_log, file, Path(folder) / "out"), arguments.repeats)
                line = (
                    f"{suffix:8}{file.stat().st_size / 1e6:6.0f} MB, {len(table):,} rows: "
                    f"ours {len(table) / ours:9,.0f} rows/s, "
                    f"pyarrow's bare read {len(table) / theirs:11,.0f} rows/s"
                )
                if suffix == "csv":
                    python = fastest(partial(read_with_csv, file), arguments.repeats)
                    line += f", Python's csv {len(table) / python:9,.0f} rows/s"
                say(line)


if __name__ == "__main__":
    main()
