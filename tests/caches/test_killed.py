"""SIGKILL at any point, a full disk at any point: the same work goes on and ends in the same file."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from prefillroute.caches.keys import cache_path, shards_folder
from prefillroute.caches.shard import open_shard

SCRIPT = Path(__file__).parent / "killed_writer.py"


def run(caches: Path, kill_at: int, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    command = [sys.executable, str(SCRIPT), str(caches), str(kill_at)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=limited, check=False)


def contents(caches: Path) -> dict[str, np.ndarray]:
    (path,) = shards_folder(cache_path(caches, "toy")).glob("*.h5")
    found: dict[str, np.ndarray] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(visit)
        found |= {f"@{key}": np.asarray(value) for key, value in file.attrs.items()}
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    caches = tmp_path_factory.mktemp("whole")
    done = run(caches, 0)
    assert done.returncode == 0, done.stderr
    return contents(caches), int(done.stdout)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_points_then_resumed(tmp_path, whole, seed):
    wanted, calls = whole
    # One kill in the creation of the file, two somewhere in the writing; each process goes on after the last.
    rng = np.random.default_rng(seed)
    for kill_at in (
        int(rng.integers(1, 9)),
        int(rng.integers(9, calls // 2)),
        int(rng.integers(9, calls // 2)),
    ):
        assert run(tmp_path, kill_at).returncode == -signal.SIGKILL
        for path in shards_folder(cache_path(tmp_path, "toy")).glob("*.h5"):
            assert len(open_shard(path).done) == 10
    done = run(tmp_path, 0)
    assert done.returncode == 0, done.stderr
    found = contents(tmp_path)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert np.array_equal(found[name], value), name
    assert not list(tmp_path.rglob("*.tmp"))


def test_no_room_for_the_file(tmp_path, whole):
    done = run(tmp_path, 0, limit=4096)
    assert done.returncode == 1
    assert "nothing was lost: make room and run the same command again" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.h5"))
    assert not list(tmp_path.rglob("*.tmp"))
    assert run(tmp_path, 0).returncode == 0


def test_no_room_in_mid_run(tmp_path, whole):
    """A quota that shrinks: the file is there, writing beyond a point of it fails."""
    wanted, calls = whole
    assert run(tmp_path, calls // 2).returncode == -signal.SIGKILL
    (path,) = shards_folder(cache_path(tmp_path, "toy")).glob("*.h5")
    before = open_shard(path).done
    done = run(tmp_path, 0, limit=path.stat().st_size // 2)
    assert done.returncode == 1
    assert "the rows done so far are kept: make room" in done.stderr.splitlines()[-1]
    assert (open_shard(path).done >= before).all()
    assert run(tmp_path, 0).returncode == 0
    found = contents(tmp_path)
    assert all(np.array_equal(found[name], value) for name, value in wanted.items())
