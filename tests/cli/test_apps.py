"""`extract`, `embed` and `perplexity` as Hydra applications: sweeps, status files, reruns, launchers."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.badinput import toy
from prefillroute.caches.reader import ActivationCache
from prefillroute.cli import apps
from prefillroute.cli.main import main
from prefillroute.cli.parsers.apps import HELP
from prefillroute.jobs.status import read_status

COMMANDS = sorted(HELP)
ENCODER = [
    "encoder=smollm2_135m_hub", "encoder.name=toy", "encoder.repo=model", f"encoder.num_layers={toy.NUM_LAYERS}",
    f"encoder.hidden_size={toy.HIDDEN_SIZE}", f"encoder.context_length={toy.CONTEXT_LENGTH}", "extraction.device=cpu",
]  # fmt: skip
LANGUAGE_MODEL = [
    "language_model=gpt2", "language_model.name=toy", "language_model.repo=model",
    f"language_model.context_length={toy.CONTEXT_LENGTH}", "device=cpu",
]  # fmt: skip
POOL = ["pool.outcomes=pool", "pool.targets=[{name: a},{name: b}]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "CACHES", "RUNS"):
        monkeypatch.delenv(f"PREFILLROUTE_{name}", raising=False)
    toy.write_encoder(tmp_path / "model")
    queries = toy.queries(60)
    rows = [(query, target, 1.0) for query in queries["query_id"] for target in ("a", "b")]
    (tmp_path / "pool").mkdir()
    queries.to_parquet(tmp_path / "pool" / "queries.parquet", index=False)
    frame = pd.DataFrame(rows, columns=["query_id", "target", "correct"])
    frame.to_parquet(tmp_path / "pool" / "outcomes.parquet", index=False)
    return tmp_path


def extract(*overrides: str) -> int:
    return main(["extract", *ENCODER, *POOL, *overrides])


def states(sweep: Path) -> dict[str, str]:
    return {path.parent.name: read_status(path.parent).state for path in sweep.glob("*/status.json")}


def test_a_run_leaves_its_status_report_and_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extract() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "caches/toy-chat.h5: 60 queries, 60 rows new, 0 reused"
    assert len(lines) == 3
    (run,) = folder.glob("runs/extract/*/*")
    assert read_status(run).state == "finished"
    assert json.loads((run / "extraction.json").read_text())["new_rows"] == 60
    assert "smollm2_135m_hub" in (run / ".hydra" / "overrides.yaml").read_text()


def test_a_mistake_is_one_line_and_is_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract("share.num=2", "share.index=2") == 1
    captured = capsys.readouterr()
    assert captured.err == "error: share.index: expected 0 to 1, found 2\n"
    assert captured.out == ""
    (run,) = folder.glob("runs/extract/*/*")
    assert read_status(run).error == "share.index: expected 0 to 1, found 2"


def test_a_failing_job_does_not_end_the_sweep(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = ("-m", "share.num=3", "share.index=3,0,2,1", "hydra.sweep.dir=sweep")
    assert extract(*sweep) == 1
    said = capsys.readouterr().out
    assert states(folder / "sweep") == {"0": "failed", "1": "finished", "2": "finished", "3": "finished"}
    assert "share.index=3: failed: share.index: expected 0 to 2, found 3" in said
    assert "1 of 4 jobs failed, 0 never began; go on with:" in said
    queries = pd.read_parquet("pool/queries.parquet")
    view = ActivationCache(Path("caches/toy-chat.h5")).select(queries["query_id"].tolist())
    assert view.read(1, "mean").shape == (60, toy.HIDDEN_SIZE)
    reports = [json.loads((folder / "sweep" / n / "extraction.json").read_text()) for n in ("1", "2", "3")]
    assert sum(report["new_rows"] for report in reports) == 60
    assert min(report["new_rows"] for report in reports) > 0


def test_the_same_sweep_again_looks_whether_the_cache_is_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ("-m", "share.num=2", "share.index=0,1", "hydra.sweep.dir=sweep")
    assert extract(*sweep) == 0
    assert extract(*sweep) == 0
    assert "finished earlier" not in capsys.readouterr().out
    assert states(folder / "sweep") == {"0": "finished", "1": "finished"}
    again = [json.loads((folder / "sweep" / n / "extraction.json").read_text()) for n in ("0", "1")]
    assert [report["new_rows"] for report in again] == [0, 0]
    shutil.rmtree("caches")
    assert extract(*sweep) == 0
    assert (
        sum(json.loads((folder / "sweep" / n / "extraction.json").read_text())["new_rows"] for n in "01")
        == 60
    )


def test_a_sweep_of_language_model_settings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        *LANGUAGE_MODEL,
        *POOL,
        "-m",
        "tokens_per_batch=100,1000",
        "paths.caches=caches${tokens_per_batch}",
    ]
    assert main(["perplexity", *words]) == 0
    said = capsys.readouterr().out
    for tokens in (100, 1000):
        assert f"caches{tokens}/language_model.toy-plain.h5: 60 queries, 60 rows new, 0 reused" in said


@pytest.mark.parametrize("command", ["embed", "perplexity"])
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("extraction=transformers", "configuration: expected groups or keys among "),
        ("extraction.device=cpu", "configuration: expected keys among "),
        ("request.layers=[1]", "request: expected keys among max_length, dtype, found 'layers'"),
        ("share.shards=2", "share: expected keys among num, index, verify, found 'shards'"),
        ("device=tpu", "device: expected auto, cpu, cuda, cuda:<n> or balanced, found tpu"),
        ("tokens_per_batch=0", "tokens_per_batch: expected 1 or more, found 0"),
        ("request.dtype=int8", "request.dtype: expected auto or float32 or bfloat16, found int8"),
    ],
)
def test_mistakes_name_what_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, override: str, message: str
) -> None:
    model = LANGUAGE_MODEL if command == "perplexity" else []
    words = [word for word in model if not override.startswith(word.partition("=")[0] + "=")]
    assert main([command, *words, *POOL, override]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {message}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("extraction.dtype=bfloat16", "extraction: expected keys among _target_, device, tokens_per_batch"),
        ("extraction.num_shards=2", "extraction: expected keys among _target_, device"),
        ("extraction=of_tomorrow", "extraction: expected an option among transformers, vllm, found 'of_tomorrow'"),
    ],
)  # fmt: skip
def test_keys_of_before_are_refused_with_those_of_now(
    folder: Path, capsys: pytest.CaptureFixture[str], override: str, message: str
) -> None:
    assert extract(override) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_options_of_the_commands_own_groups(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"prefillroute {command} --cfg job" in said
    groups = [line.partition(": ")[0] for line in said.partition("Options of each group")[2].splitlines()]
    assert "pool" in groups
    assert ("extraction" in groups) == (command == "extract")
    assert ("head" in groups) == (command == "train")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_configuration_is_shown(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--cfg", "job", "pool=starter"]) == 0
    assert "name: starter" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_launcher_finds_the_task_in_another_process(command: str, tmp_path: Path) -> None:
    """By its name alone; with it comes the resolver that a job's folder is named by."""
    (tmp_path / "task.pkl").write_bytes(pickle.dumps(apps.TASKS[command]))
    program = (
        "import pickle, sys; task = pickle.load(open('task.pkl', 'rb')); from omegaconf import OmegaConf; "
        "print(task.__name__, OmegaConf.has_resolver('prefillroute.job_folder'), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [command, "True", "False"]


def test_every_application_has_a_line_in_the_list_of_commands() -> None:
    assert set(apps.TASKS) == set(HELP)
