"""Tokens per second of extraction, against the bare forward pass and against the plain way, in one run.

    python -m experiments.benchmarks.extraction                  # 48 queries, 3 rounds
    python -m experiments.benchmarks.extraction --queries 256 --rounds 5

Four ways over the same queries, in turn, medians of the paired ratios:

- shipped: hooks, pooling of every layer, checks, checksums, writing into a cache, the template's prefix run once;
- whole: the same with the prefix fed with every query, to be compared with
- bare: the base model's forward on the very same batches, and nothing else;
- plain: batches of 4 in file order, padded by the tokenizer, `AutoModelForCausalLM` with `output_hidden_states`, and
  each row's last and mean vector of every layer copied out one by one.

The plain way's losses are told apart: padding from the lengths, the LM head by timing the base model on the plain
batches (once). Peak memory is measured in processes of their own, for N and 4N queries.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForCausalLM

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.backends.contract import read_together
from prefillroute.extraction.backends.in_process import pad_right
from prefillroute.extraction.backends.transformers import TransformersBackend
from prefillroute.extraction.batches import padding_share
from prefillroute.extraction.request import ReadRequest
from prefillroute.extraction.run import extract
from prefillroute.extraction.weights import locate_weights
from prefillroute.text.printing import say

DATA = ("data/mmlu_pro", "../shared/data/mmlu_pro")


def load_prompts(count: int, data: Path | None, seed: int = 0) -> list[str]:
    """Real MMLU-Pro prompts, a random sample in file order."""
    folder = data or next((Path(place) for place in DATA if Path(place).is_dir()), Path(DATA[0]))
    prompts = pd.read_parquet(folder / "queries.parquet", columns=["prompt"])["prompt"]
    chosen = np.sort(np.random.default_rng(seed).permutation(len(prompts))[:count])
    return prompts.iloc[chosen].tolist()


def smollm2() -> EncoderConfig:
    """The encoder that needs no hub."""
    return fact(compose_run(["encoder=smollm2_135m"], config_name="extract").encoder, EncoderConfig)


@torch.inference_mode()
def run_bare(encoder: TransformersBackend, batches: Sequence[Sequence[np.ndarray]]) -> None:
    """Only the forward pass."""
    for batch in batches:
        ids, _ = pad_right(batch)
        encoder.model(input_ids=ids.to(encoder.model.device), use_cache=False)


def run_ours(encoder: TransformersBackend, prompts: Sequence[str]) -> float:
    """A whole extraction into an empty cache; its own clock starts at the first batch."""
    with tempfile.TemporaryDirectory() as folder:
        ids = [str(row) for row in range(len(prompts))]
        return extract(encoder, ids, prompts, Path(folder)).seconds


@torch.inference_mode()
def run_plain(model: torch.nn.Module, token_ids: Sequence[np.ndarray]) -> list[dict[int, np.ndarray]]:
    """As one writes it first."""
    rows: list[dict[int, np.ndarray]] = []
    for start in range(0, len(token_ids), 4):
        ids, mask = pad_right(token_ids[start : start + 4])
        out = model(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True, use_cache=False)
        for row in range(len(ids)):
            length = int(mask[row].sum())
            rows.append({})
            for layer, hidden in enumerate(out.hidden_states):
                vectors = hidden[row, length - 1], hidden[row, :length].mean(dim=0)
                rows[-1][layer] = np.stack([vector.float().cpu().numpy() for vector in vectors])
    return rows


@torch.inference_mode()
def run_plain_base(base: torch.nn.Module, token_ids: Sequence[np.ndarray]) -> None:
    """The plain batches without the LM head and without copies."""
    for start in range(0, len(token_ids), 4):
        ids, mask = pad_right(token_ids[start : start + 4])
        base(input_ids=ids, attention_mask=mask.long(), use_cache=False)


@torch.inference_mode()
def run_plain_head(model: torch.nn.Module, token_ids: Sequence[np.ndarray]) -> None:
    """The plain batches with the LM head and without copies."""
    for start in range(0, len(token_ids), 4):
        ids, mask = pad_right(token_ids[start : start + 4])
        model(input_ids=ids, attention_mask=mask.long(), use_cache=False)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_memory(queries: int, data: Path | None) -> float:
    """Peak resident MB of a process that extracts so many queries."""
    command = [
        sys.executable,
        "-m",
        "experiments.benchmarks.extraction",
        "--queries",
        str(queries),
        "--only-ours",
    ]
    command += ["--data", str(data)] if data else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def only_ours(queries: int, data: Path | None) -> None:
    """Extract and print this process's peak resident MB from after the loading, whose own peak is far higher."""
    encoder = TransformersBackend(smollm2(), ReadRequest())
    read_together(encoder, [encoder.prompts(["warm up"])[0].token_ids])
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts anew
    run_ours(encoder, load_prompts(queries, data))
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak is not None, "Linux reports the peak"
    say(str(int(peak[1]) / 1024))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--data", type=Path, help="folder with queries.parquet; default: " + " or ".join(DATA)
    )
    parser.add_argument("--skip-memory", action="store_true", help="do not measure peak memory")
    parser.add_argument("--only-ours", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_ours:
        only_ours(arguments.queries, arguments.data)
        return
    facts, request = smollm2(), ReadRequest()
    whole, shipped = (
        TransformersBackend(facts, request, share_prefix=False),
        TransformersBackend(facts, request),
    )
    source = locate_weights(facts)
    causal = AutoModelForCausalLM.from_pretrained(
        source.location, gguf_file=source.gguf_file, dtype=torch.float32
    ).eval()
    prompts = load_prompts(arguments.queries, arguments.data)
    token_ids = [encoded.token_ids for encoded in whole.prompts(prompts)]
    lengths = np.asarray([len(ids) for ids in token_ids])
    plan = shipped.batches(lengths)
    batches = [[token_ids[row] for row in batch] for batch in plan]
    tokens = int(lengths.sum())
    in_fours = [np.arange(start, min(start + 4, len(lengths))) for start in range(0, len(lengths), 4)]
    for encoder in (whole, shipped):
        read_together(encoder, batches[0])  # load and warm up
    run_plain_head(causal, token_ids[:4])

    ways: dict[str, Callable[[], float]] = {
        "shipped": lambda: run_ours(shipped, prompts),
        "whole": lambda: run_ours(whole, prompts),
        "bare": lambda: timed(lambda: run_bare(whole, batches)),
        "plain": lambda: timed(lambda: run_plain(causal, token_ids)),
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(arguments.rounds)]
    seconds = {name: np.asarray([each[name] for each in rounds]) for name in ways}
    say(
        f"{len(prompts)} queries, {tokens:,} tokens, {torch.get_num_threads()} threads, {arguments.rounds} rounds"
    )
    for name in ways:
        say(f"{name:>8}: {tokens / np.median(seconds[name]):8.0f} tokens/s")
    prefix = len(whole.prompts.prefix_ids) * len(prompts) / tokens
    say(f"whole / bare:    {_ratio(seconds, 'bare', 'whole')}  (at least 0.90 wanted)")
    say(f"shipped / bare:  {_ratio(seconds, 'bare', 'shipped')}  (the prefix is {prefix:.1%} of the tokens)")
    say(f"shipped / plain: {_ratio(seconds, 'plain', 'shipped')}  (at least 2 wanted)")
    say(f"whole / plain:   {_ratio(seconds, 'plain', 'whole')}")
    say(
        f"padding: ours {padding_share(lengths, plan):.1%}, plain {padding_share(lengths, in_fours):.1%} of tokens fed"
    )
    head, base = (
        timed(lambda: run_plain_head(causal, token_ids)),
        timed(lambda: run_plain_base(causal.model, token_ids)),
    )
    say(f"the plain way's forward: LM head {1 - base / head:.1%}")
    if not arguments.skip_memory:
        few, many = (
            peak_memory(count, arguments.data)
            for count in (arguments.queries // 3, arguments.queries // 3 * 4)
        )
        say(
            f"peak memory: {few:.0f} MB for {arguments.queries // 3} queries, {many:.0f} MB for "
            f"{arguments.queries // 3 * 4} ({many / few - 1:+.1%})"
        )


def _ratio(seconds: dict[str, np.ndarray], slow: str, fast: str) -> str:
    """Median of the rounds' ratios, and their range."""
    ratios = seconds[slow] / seconds[fast]
    return f"{np.median(ratios):.2f} [{ratios.min():.2f}, {ratios.max():.2f}]"


if __name__ == "__main__":
    main()
