"""A file system without locks: the same work, two writers kept apart, a killed one no dead end."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from experiments.badinput.workspace import REPOSITORY
from prefillroute.caches.keys import cache_path, shards_folder
from prefillroute.caches.reader import ActivationCache
from prefillroute.caches.shard import open_shard
from prefillroute.errors import UserError
from prefillroute.locks.exclusive_file import ExclusiveFile
from prefillroute.locks.file_lock import FileLock
from prefillroute.locks.holder import Holder
from prefillroute.outcomes.files import read_outcomes

HERE = Path(__file__).parent
NOFLOCK = REPOSITORY / "experiments" / "badinput" / "noflock.c"
Python = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Starts Python where every `flock` fails with the errno given."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler for a library that takes flock away")
    library = tmp_path_factory.mktemp("noflock") / "noflock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, NOFLOCK], check=True)

    def start(*command: str, number: int = errno.ENOSYS) -> subprocess.Popen[str]:
        without = {"LD_PRELOAD": str(library), "NOFLOCK_ERRNO": str(number), "HF_HUB_OFFLINE": "1"}
        return subprocess.Popen(
            [sys.executable, *command], env=os.environ | without, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    return start


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=500)
    return process.returncode, out, error


def write(python: Python, caches: Path, kill_at: int = 0, number: int = errno.ENOSYS) -> tuple[int, str, str]:
    return end(
        python(str(HERE.parent / "caches" / "killed_writer.py"), str(caches), str(kill_at), number=number)
    )


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_shard_is_written_and_no_lock_stays(python: Python, tmp_path: Path, number: int) -> None:
    code, _, said = write(python, tmp_path, number=number)
    assert (code, said) == (0, "")
    (shard,) = shards_folder(cache_path(tmp_path, "toy")).glob("*.h5")
    assert open_shard(shard).done.all()
    assert not list(tmp_path.rglob("*.held*"))


def test_the_lock_of_a_killed_writer_is_taken_over_and_that_is_said(python: Python, tmp_path: Path) -> None:
    assert write(python, tmp_path, kill_at=40)[0] == -signal.SIGKILL
    (left,) = tmp_path.rglob("*.held")
    code, _, said = write(python, tmp_path)
    assert (code, left.exists()) == (0, False)
    assert said.startswith(f"{left}: left behind by process ")
    assert said.strip().endswith("which has ended; taken over")
    (shard,) = shards_folder(cache_path(tmp_path, "toy")).glob("*.h5")
    assert open_shard(shard).done.all()


@pytest.fixture
def holder(python: Python, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = python(str(HERE / "holder.py"), str(tmp_path / "shard.lock"))
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_two_writers_are_kept_apart(python: Python, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    code, _, said = end(python(str(HERE / "holder.py"), str(tmp_path / "shard.lock")))
    assert code == 1
    assert f"shard.h5: is being written by process {holder.pid} on " in said
    assert "this file system has no locks" in said
    # One that has locks looks at the file as well.
    with pytest.raises(
        UserError, match=f"is being written by process {holder.pid} on .* remove .*shard.held"
    ):
        FileLock(tmp_path / "shard.lock", "shard.h5")
    holder.kill()
    holder.wait()
    FileLock(tmp_path / "shard.lock", "shard.h5").release()
    assert not (tmp_path / "shard.held").exists()


def test_of_another_machines_process_the_message_tells_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "index.held"
    path.write_text(json.dumps(asdict(replace(Holder.me(), host="node17"))))
    for wait, patience in ((False, 600.0), (True, 0.5)):
        with pytest.raises(
            UserError, match=f"by process {os.getpid()} on node17 since .* remove {path}; then run"
        ):
            ExclusiveFile(path, "index.h5", wait=wait, patience=patience)
    path.unlink()
    ExclusiveFile(path, "index.h5").release()
    path.write_text("")
    with pytest.raises(
        UserError, match=f"expected the host and process that hold the lock, .* remove {path}"
    ):
        ExclusiveFile(path, "index.h5")


def test_a_process_id_used_again_is_another_process(tmp_path: Path) -> None:
    path = tmp_path / "index.held"
    path.write_text(json.dumps(asdict(replace(Holder.me(), started="1"))))
    lock = ExclusiveFile(path, "index.h5")
    with pytest.raises(UserError, match=f"by process {os.getpid()} "):
        ExclusiveFile(path, "index.h5")
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_taken_over_is_not_removed_by_its_first_holder(tmp_path: Path) -> None:
    path = tmp_path / "index.held"
    first = ExclusiveFile(path, "index.h5")
    path.unlink()
    second = ExclusiveFile(path, "index.h5")
    path.write_text(path.read_text().replace('"pid"', ' "pid"'))
    first.release()
    assert path.exists()
    path.unlink()
    second.release()


COMMANDS = """
import json, sys
from pathlib import Path
from experiments.badinput.toy import write_encoder
from prefillroute.cli.main import main
folder = Path(sys.argv[1])
write_encoder(folder / "model")
for command in json.loads(sys.argv[2]):
    assert main(command) == 0, command
"""


def test_every_command_that_fills_a_cache(python: Python, tmp_path: Path) -> None:
    pool = ["pool=starter", "pool.max_queries=24", f"paths.caches={tmp_path}"]
    toy = ["encoder=smollm2_135m_hub", f"encoder.repo={tmp_path}/model", "encoder.num_layers=2"]
    toy += ["encoder.hidden_size=16"]
    model = ["language_model.name=toy", f"language_model.repo={tmp_path}/model", "language_model.wheel=null"]
    model += ["language_model.gguf_file=null"]
    jobs = [["extract", *toy, *pool, "share.num=2", f"share.index={job}"] for job in (0, 1)]
    commands = [*jobs, ["embed", "embedder=minilm", *pool], ["perplexity", *model, *pool]]
    code, _, said = end(python("-c", COMMANDS, str(tmp_path), json.dumps(commands)))
    assert code == 0, said
    queries = read_outcomes("pkg://prefillroute.starter_pool", max_queries=24).queries
    for name, layer, pooling in (
        ("smollm2_135m_hub-chat", 2, "mean"), ("embedder.minilm-plain", 0, "embedding"),
        ("language_model.toy-plain", 0, "perplexity"),
    ):  # fmt: skip
        view = ActivationCache(tmp_path / f"{name}.h5").select(
            queries["query_id"].tolist(), queries["prompt"].tolist()
        )
        assert np.isfinite(view.read(layer, pooling)).all()
    assert not list(tmp_path.rglob("*.held*"))
