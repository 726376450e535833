"""Joining shards: array jobs, layers added later, rows that two shards hold."""

import os

import h5py
import numpy as np
import pytest

from prefillroute.caches.index import build_index, read_index
from prefillroute.caches.reader import ActivationCache
from prefillroute.errors import UserError

NAMES = [f"q{i}" for i in range(12)]


def test_shards_of_array_jobs_are_joined(
    tmp_path, write_shard, make_identity, make_table, truth, monkeypatch
):
    path = tmp_path / "toy-chat.h5"
    for job in range(3):
        mine = NAMES[job::3]
        write_shard(tmp_path, mine, part=(3, job))
        build_index(path, make_identity(), make_table(mine))  # each job does so at its end
    view = ActivationCache(path).select(NAMES)
    assert np.array_equal(view.read(2, "mean"), truth(NAMES, [2], "mean")[:, 0])
    monkeypatch.chdir("/")  # the virtual datasets find the shards from anywhere
    with h5py.File(path) as file:
        index = read_index(path)
        names = [index.queries.query_ids[index.queries.keys.index(key)] for key in index.keys]
        assert file["activations/mean"].is_virtual
        assert np.array_equal(file["activations/mean"][:], truth(names, range(5), "mean"))
        assert file.attrs["num_queries"] == 12


def test_layers_are_added_without_touching_what_is_there(
    tmp_path, write_shard, make_identity, make_table, truth
):
    path = tmp_path / "toy-chat.h5"
    first = write_shard(tmp_path, NAMES, layers=[2, 3, 4])
    build_index(path, make_identity(), make_table(NAMES))
    before = first.read_bytes(), os.stat(first).st_mtime_ns
    write_shard(tmp_path, NAMES[::-1], layers=[0, 1])  # in another order, too
    index = build_index(path, make_identity(), make_table([]))
    assert (first.read_bytes(), os.stat(first).st_mtime_ns) == before
    assert index.layer_ids == (0, 1, 2, 3, 4)
    view = ActivationCache(path).select(NAMES)
    assert view.layer_ids == (0, 1, 2, 3, 4)
    for layer in range(5):
        assert np.array_equal(view.read(layer, "last"), truth(NAMES, [layer], "last")[:, 0])
    with h5py.File(path) as file:
        assert np.array_equal(file["activations/last"][:], truth(NAMES, range(5), "last"))


def test_only_layers_that_all_rows_have_are_offered(tmp_path, write_shard, make_identity, make_table):
    path = tmp_path / "toy-chat.h5"
    write_shard(tmp_path, NAMES)
    write_shard(tmp_path, ["new"], layers=[3, 4])
    build_index(path, make_identity(), make_table([*NAMES, "new"]))
    cache = ActivationCache(path)
    assert cache.select(NAMES).layer_ids == (0, 1, 2, 3, 4)
    assert cache.select(["q1", "new"]).layer_ids == (3, 4)
    with h5py.File(path) as file:
        values = file["activations/mean"][:]
    assert np.isnan(values[12, :3]).all()  # never a silent zero
    assert not np.isnan(values[12, 3:]).any()


def test_rows_not_done_are_missing(tmp_path, write_shard, make_identity, make_table):
    path = tmp_path / "toy-chat.h5"
    write_shard(tmp_path, NAMES, rows=[0, 1, 4, 5, 6])
    build_index(path, make_identity(), make_table(NAMES))
    cache = ActivationCache(path)
    assert cache.num_rows == 5
    assert cache.select(["q5", "q0"]).read(0, "mean").shape == (2, 12)
    with pytest.raises(UserError, match=r"1 of 2 queries are cached \(missing: q2\)"):
        cache.select(["q5", "q2"])


def test_a_row_in_two_shards_is_taken_once(tmp_path, write_shard, make_identity, make_table, truth):
    path = tmp_path / "toy-chat.h5"
    write_shard(tmp_path, NAMES[:8])
    write_shard(tmp_path, NAMES[4:])
    index = build_index(path, make_identity(), make_table(NAMES))
    assert len(index.keys) == 12
    assert np.array_equal(
        ActivationCache(path).select(NAMES).read(1, "mean"), truth(NAMES, [1], "mean")[:, 0]
    )
    with h5py.File(path) as file:
        assert not np.isnan(file["activations/mean"][:]).any()


def test_tables_of_several_pools_are_kept(tmp_path, write_cache, make_identity, make_table):
    path = write_cache(tmp_path, NAMES)
    build_index(path, make_identity(), make_table(NAMES[:2]))
    assert sorted(read_index(path).queries.query_ids) == sorted(NAMES)


def test_a_shard_of_another_identity_is_refused(tmp_path, write_shard, make_identity, make_table):
    write_shard(tmp_path, NAMES)
    with pytest.raises(
        UserError, match=r"expected weights=toy@1 .*made with weights=toy@0; set it back, or move"
    ):
        build_index(tmp_path / "toy-chat.h5", make_identity(weights="toy@1"), make_table(NAMES))


def test_truncation_is_counted(tmp_path, write_shard, make_identity, make_table):
    table = make_table(["a", "b", "c", "d"])
    table.truncated[:3] = True
    shared = type(table)(
        table.query_ids,
        table.prompts,
        (*table.keys[:1] * 2, *table.keys[2:]),
        *list(table.__dict__.values())[3:],
    )
    write_shard(tmp_path, ["a", "c", "d"])
    build_index(tmp_path / "toy-chat.h5", make_identity(), shared)
    with h5py.File(tmp_path / "toy-chat.h5") as file:
        assert file.attrs["num_truncated"] == 3
        assert file.attrs["num_sharing_a_key_through_truncation"] == 2
