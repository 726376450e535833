"""Flipped bytes, truncated files, foreign files: found on reading, said in one line, mended by one command."""

import numpy as np
import pytest

from prefillroute.caches.identity import FORMAT_VERSION
from prefillroute.caches.index import build_index
from prefillroute.caches.reader import ActivationCache
from prefillroute.caches.shard import open_shard
from prefillroute.caches.writer import ActivationWriter
from prefillroute.errors import UserError

NAMES = [f"q{i}" for i in range(9)]


@pytest.fixture
def cache(tmp_path, write_cache):
    path = write_cache(tmp_path, NAMES)
    (shard,) = (tmp_path / "toy-chat.shards").glob("*.h5")
    return path, shard


def flip(path, offset: int, bit: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1 << bit
    path.write_bytes(raw)


def test_a_flipped_byte_anywhere_in_a_shard_is_never_read_as_a_number(cache, truth):
    path, shard = cache
    sound = shard.read_bytes()
    layers, messages = range(5), []
    for offset in np.random.default_rng(0).integers(0, len(sound), 150):
        raw = bytearray(sound)
        raw[offset] ^= 0x10
        shard.write_bytes(raw)
        try:
            view = ActivationCache(path).select(NAMES)
            found = {p: np.stack([view.read(k, p) for k in layers], axis=1) for p in view.poolings}
        except UserError as error:
            messages.append(str(error))
            continue
        assert all(np.array_equal(values, truth(NAMES, layers, p)) for p, values in found.items())
    assert messages
    assert all(str(shard) in message and "\n" not in message for message in messages)


def test_a_damaged_vector_is_named_and_mended(cache, truth, make_plan, make_identity, make_table):
    path, shard = cache
    extents = open_shard(shard).extents
    flip(shard, int(extents.activations["mean"][3, 0]) + 5 * extents.row_bytes + 7)
    view = ActivationCache(path).select(NAMES)
    view.read(2, "mean")
    with pytest.raises(UserError, match=r"row 5 of layer 3, pooling mean is damaged .* share\.verify=true"):
        view.read(3, "mean")
    with ActivationWriter(shard, make_plan(NAMES), make_identity()) as writer:
        assert writer.verify().tolist() == [5]
        writer.write([5], {p: truth(["q5"], range(5), p) for p in ("last", "mean")}, ["q5"])
    build_index(path, make_identity(), make_table(NAMES))
    view = ActivationCache(path).select(NAMES)
    assert np.array_equal(view.read(3, "mean"), truth(NAMES, [3], "mean")[:, 0])


def test_bytes_lost_as_zeros_are_found(cache):
    """After a power cut data and checksum may both be holes."""
    path, shard = cache
    extents = open_shard(shard).extents
    raw = bytearray(shard.read_bytes())
    at = int(extents.activations["last"][1, 0])
    raw[at : at + extents.row_bytes] = bytes(extents.row_bytes)
    at = extents.checksums["last"] + 1 * extents.rows * 8
    raw[at : at + 8] = bytes(8)
    shard.write_bytes(raw)
    with pytest.raises(UserError, match="row 0 of layer 1, pooling last is damaged"):
        ActivationCache(path).select(NAMES).read(1, "last")


def test_a_flipped_byte_anywhere_in_the_index_is_found(cache, truth):
    path, _ = cache
    sound = path.read_bytes()
    offsets = [*range(0, 120, 7), *np.random.default_rng(1).integers(512, len(sound), 60).tolist()]
    for offset in offsets:
        raw = bytearray(sound)
        raw[offset] ^= 0x01
        path.write_bytes(raw)
        with pytest.raises(UserError, match=r"toy-chat\.h5: .* prefillroute extract encoder=toy pool=<pool>"):
            ActivationCache(path)


@pytest.mark.parametrize("length", [0, 100, 512, 5000])
def test_a_truncated_index_is_named_and_made_anew(cache, length, make_identity, make_table):
    path, _ = cache
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        UserError, match=r"toy-chat\.h5: .*(truncated|expected an activation cache).*prefillroute extract"
    ):
        ActivationCache(path)
    build_index(path, make_identity(), make_table(NAMES))
    assert ActivationCache(path).num_rows == 9


def test_a_truncated_or_missing_shard_is_named(cache):
    path, shard = cache
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(
        UserError, match=r"part-.*\.h5: truncated: expected \d+ bytes, found \d+; delete this file and run"
    ):
        ActivationCache(path).select(NAMES).read(0, "mean")
    with pytest.raises(
        UserError, match=r"part-.*\.h5: cannot be read as a shard .*; delete this file and run"
    ):
        open_shard(shard)
    shard.unlink()
    with pytest.raises(UserError, match=r"part-.*\.h5: cannot be read \(No such file"):
        ActivationCache(path).select(NAMES).read(0, "mean")


def test_another_format_version_says_which(cache):
    path, _ = cache
    old, new = f"version={FORMAT_VERSION}".encode(), f"version={FORMAT_VERSION + 1}".encode()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(
        UserError, match=f"expected format version {FORMAT_VERSION}, found {FORMAT_VERSION + 1}"
    ):
        ActivationCache(path)


def test_a_foreign_file_is_no_cache(tmp_path):
    (tmp_path / "toy-chat.h5").write_text("query_id,target\n")
    with pytest.raises(UserError, match="expected an activation cache"):
        ActivationCache(tmp_path / "toy-chat.h5")


def test_a_damaged_table_of_rows_stops_the_writer(cache):
    _, shard = cache
    raw = shard.read_bytes()
    key = open_shard(shard).plan.keys[4]
    flip(shard, raw.index(bytes.fromhex(key)))
    with pytest.raises(
        UserError, match=r"its table of rows is damaged .*; delete this file and run prefillroute extract"
    ):
        open_shard(shard)
