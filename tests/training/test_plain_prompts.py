"""An encoder whose tokenizer has no chat template, through the real commands and what their messages say."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from experiments.badinput.toy import save_tokenizer
from prefillroute.caches.reader import ActivationCache
from prefillroute.cli.main import main
from prefillroute.outcomes.files import read_outcomes
from prefillroute.readings.live import LiveModels
from prefillroute.router.parity import check_parity
from prefillroute.router.router import Router

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "trainer=quick", "trainer.max_epochs=3", "evaluation.num_resamples=20", "report=false", "layers=final",
    "layers.dim=8", "num_folds=2",
]  # fmt: skip


def train(*overrides: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    env = {key: value for key, value in env.items() if not key.startswith("PREFILLROUTE_")}
    return subprocess.run(
        [sys.executable, "train.py", *overrides],
        cwd=ROOT,
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


def test_extract_train_and_route_as_the_messages_say(
    facts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [*facts, f"paths.caches={tmp_path}/my caches", f"hydra.run.dir={tmp_path}/run", *QUICK]
    done = train(*own)
    assert done.returncode == 1
    assert "smollm2_135m_hub-chat.h5: expected an activation cache" in done.stderr
    monkeypatch.chdir(tmp_path)
    assert main(hint(done.stderr)) == 0
    said = capsys.readouterr().out
    assert "no chat template; queries are fed as they stand (encoder.prompt_format=plain)" in said
    assert f"{tmp_path}/my caches/smollm2_135m_hub-plain.h5: 240 queries" in said

    done = train(*own)
    assert done.returncode == 0, done.stdout + done.stderr
    router = Router.load(tmp_path / "run" / "router", "cpu")
    assert router.manifest.models[0].identity.prompt_format == "plain"
    parity = check_parity(tmp_path / "run", device="cpu")
    assert parity.passed, parity.lines()
    assert parity.num_texts == 36
    # One query alone reads what the cache holds, up to rounding.
    query = read_outcomes("pkg://prefillroute.starter_pool", max_queries=240).queries.iloc[7]
    (entry,) = router.manifest.models
    found = LiveModels([entry], tmp_path, "cpu").read(entry.reading, [query["prompt"]]).source
    view = ActivationCache(tmp_path / "my caches" / "smollm2_135m_hub-plain.h5").select([query["query_id"]])
    for layer, pooling in entry.cells:
        wanted = view.read(layer, pooling)
        np.testing.assert_allclose(
            found.read(layer, pooling), wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max()
        )
    assert main(["route", "--router", f"{tmp_path}/run/router", "What is 2 + 2?"]) == 0

    # More queries than the cache has: the command completes the cache of this form.
    done = train(*(word.replace("=240", "=250").replace("/run", "/another") for word in own))
    assert "smollm2_135m_hub-plain.h5: 240 of 250 queries are cached" in done.stderr
    assert "encoder.prompt_format=plain" in hint(done.stderr)
    capsys.readouterr()
    assert main(hint(done.stderr)) == 0
    assert "250 queries, 10 rows new, 240 reused" in capsys.readouterr().out


def test_asked_for_chat_it_says_what_to_ask_for(
    facts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["extract", *facts, f"paths.caches={tmp_path}"]
    for overrides, message in (
        (
            ["encoder.prompt_format=chat"],
            "with a chat template, found none; use encoder.prompt_format=plain\n",
        ),
        (
            ["extraction.prompt_format=chat"],
            "extraction: expected keys among _target_, device, tokens_per_batch, share_prefix, found 'prompt_format'\n",
        ),
        (["encoder.prompt_format=prose"], "encoder.prompt_format: expected chat, plain or null, found prose"),
    ):
        assert main([*command, *overrides]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1
    assert main([*command, "encoder.prompt_format=plain"]) == 0
