"""An encoder whose tokenizer has no chat template, through the real commands and what their messages say."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from experiments.badinput.toy import save_tokenizer
from prefillroute.router.parity import check_parity
from prefillroute.router.router import Router

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "trainer=quick", "trainer.max_epochs=3", "evaluation.num_resamples=20", "report=false", "layers=final",
    "layers.dim=8", "num_folds=2",
]  # fmt: skip


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    env = {key: value for key, value in env.items() if not key.startswith("PREFILLROUTE_")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A toy that continues text, in a folder with a blank in its name, and a pool cut to 240 queries."""
    folder = tmp_path_factory.mktemp("plain prompts") / "a model"
    vocab_size = save_tokenizer(folder)
    for file in folder.glob("chat_template*"):
        file.unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaModel(
            LlamaConfig(
                vocab_size=vocab_size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                intermediate_size=48, initializer_range=0.3,
            )
        ).save_pretrained(folder)  # fmt: skip
    return [
        "encoder=smollm2_135m_hub", f"encoder.repo='{folder}'", "encoder.num_layers=2", "encoder.hidden_size=32",
        "pool=starter", "pool.max_queries=240",
    ]  # fmt: skip


def hint(output: str) -> list[str]:
    """The arguments of the command that a message names."""
    (line,) = [line for line in output.splitlines() if "prefillroute extract" in line]
    found = re.search(r"prefillroute (extract .*)", line)
    assert found is not None
    return shlex.split(found[1])


def test_extract_train_and_route_as_the_messages_say(facts: list[str], tmp_path: Path) -> None:
    train = [
        "train.py",
        *facts,
        f"paths.caches={tmp_path}/my caches",
        f"hydra.run.dir={tmp_path}/run",
        *QUICK,
    ]
    done = run(ROOT, *train)
    assert done.returncode == 1
    assert "smollm2_135m_hub-chat.h5: no activation cache" in done.stderr
    made = run(ROOT, "-m", "prefillroute.cli.main", *hint(done.stderr))
    assert made.returncode == 0, made.stderr
    assert "no chat template; queries are fed as they stand (encoder.prompt_format=plain)" in made.stderr
    assert f"{tmp_path}/my caches/smollm2_135m_hub-plain.h5: 240 queries" in made.stdout

    done = run(ROOT, *train)
    assert done.returncode == 0, done.stdout + done.stderr
    router = Router.load(tmp_path / "run" / "router", "cpu")
    assert router.manifest.encoders[0].identity["prompt_format"] == "plain"
    parity = check_parity(tmp_path / "run", device="cpu")
    assert parity.passed, parity.lines()
    assert parity.num_texts == 36
    routed = run(
        ROOT, "-m", "prefillroute.cli.main", "route", "--router", f"{tmp_path}/run/router", "What is 2 + 2?"
    )
    assert routed.returncode == 0, routed.stderr

    # More queries than the cache has: the command completes the cache of this form.
    more = [word.replace("=240", "=250") for word in train]
    done = run(ROOT, *more)
    assert "smollm2_135m_hub-plain.h5: 240 of 250 queries are cached" in done.stderr
    assert "encoder.prompt_format=plain" in hint(done.stderr)
    completed = run(ROOT, "-m", "prefillroute.cli.main", *hint(done.stderr))
    assert "250 queries, 10 rows new, 240 reused" in completed.stdout


def test_asked_for_chat_it_says_what_to_ask_for(facts: list[str], tmp_path: Path) -> None:
    command = ["-m", "prefillroute.cli.main", "extract", *facts, f"paths.caches={tmp_path}"]
    done = run(ROOT, *command, "extraction.prompt_format=chat")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: encoder smollm2_135m_hub: its tokenizer has no chat template; use encoder.prompt_format=plain"
    )
    done = run(ROOT, *command, "extraction.prompt_format=chat", "encoder.prompt_format=plain")
    assert "expected the same of both: set encoder.prompt_format=chat" in done.stderr
    done = run(ROOT, *command, "encoder.prompt_format=prose")
    assert "encoder.prompt_format=prose: expected chat, plain or null" in done.stderr
