"""What the writer lets in, what it refuses, and who may write."""

import h5py
import numpy as np
import pytest

from prefillroute.caches.checksums import row_checksums
from prefillroute.caches.shard import open_shard
from prefillroute.caches.writer import ActivationWriter
from prefillroute.errors import UserError

NAMES = [f"q{i}" for i in range(6)]


@pytest.fixture
def batch(truth):
    return lambda names: {pooling: truth(names, range(5), pooling) for pooling in ("last", "mean")}


@pytest.mark.parametrize(
    ("bad", "word"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity"), (0, "zero")]
)
def test_bad_activations_are_refused_by_name(tmp_path, make_plan, make_identity, batch, bad, word):
    path = tmp_path / "shard.h5"
    with ActivationWriter(path, make_plan(NAMES), make_identity()) as writer:
        values = batch(NAMES[:4])
        if bad == 0:
            values["mean"][2, 3] = 0
        else:
            values["mean"][2, 3, 5] = bad
        with pytest.raises(UserError, match=rf"query q2, layer 3, pooling mean: activation: .*found {word}"):
            writer.write([0, 1, 2, 3], values, NAMES[:4])
        assert not writer.done.any()
        writer.write([4, 5], batch(NAMES[4:]), NAMES[4:])
    assert open_shard(path).done.tolist() == [False] * 4 + [True] * 2


def test_large_finite_values_pass(tmp_path, make_plan, make_identity, batch):
    values = batch(NAMES[:1])
    values["mean"][0, 3, 5] = 3e30  # its square is infinite, it is not
    with ActivationWriter(tmp_path / "shard.h5", make_plan(NAMES), make_identity()) as writer:
        writer.write([0], values, NAMES[:1])
        assert writer.done[0]


def test_float16_only_where_it_keeps_every_element(tmp_path, make_plan, make_identity, batch):
    identity = make_identity(storage_dtype="float16")
    with ActivationWriter(tmp_path / "shard.h5", make_plan(NAMES), identity) as writer:
        values = batch(NAMES[:2])
        writer.write([0, 1], values, NAMES[:2])
        for outside in (1e5, 70000.0):
            values["last"][1, 2, 7] = outside
            with pytest.raises(
                UserError, match=r"query q1, layer 2, pooling last: float16: .* turned into inf"
            ):
                writer.write([0, 1], values, NAMES[:2])
        values["last"][1, 2] = np.linspace(1e-7, 3e-7, 12)  # below float16's normal numbers
        with pytest.raises(UserError, match="storage_dtype=float32"):
            writer.write([0, 1], values, NAMES[:2])
    with h5py.File(tmp_path / "shard.h5") as file:
        stored = file["activations/mean"][:2].astype(np.float32)
        assert file["activations/mean"].dtype == np.float16
    bound = 1e-3 * np.abs(values["mean"]) + 1e-6 * np.abs(values["mean"]).max(-1, keepdims=True)
    assert (np.abs(stored - values["mean"]) <= bound).all()


def test_a_second_writer_is_told_who_writes(tmp_path, make_plan, make_identity):
    path = tmp_path / "shard.h5"
    with (
        ActivationWriter(path, make_plan(NAMES), make_identity()),
        pytest.raises(UserError, match=r"shard\.h5: is being written by process \d+ on .*; wait for it"),
    ):
        ActivationWriter(path, make_plan(NAMES), make_identity())
    ActivationWriter(path, make_plan(NAMES), make_identity()).close()


def test_another_identity_is_refused_with_both_values(tmp_path, make_plan, make_identity):
    path = tmp_path / "shard.h5"
    ActivationWriter(path, make_plan(NAMES), make_identity()).close()
    with pytest.raises(UserError, match=r"expected max_length=128 .*made with max_length=64"):
        ActivationWriter(path, make_plan(NAMES), make_identity(max_length=128))


def test_the_file_is_plain_hdf5_with_one_extent_per_layer(tmp_path, make_plan, make_identity, batch):
    path = tmp_path / "shard.h5"
    values = batch(NAMES)
    with ActivationWriter(path, make_plan(NAMES), make_identity()) as writer:
        writer.write([5, 4, 1, 0], {p: v[[5, 4, 1, 0]] for p, v in values.items()}, NAMES)
        writer.write([2, 3], {p: v[2:4] for p, v in values.items()}, NAMES)
    with h5py.File(path) as file:
        for pooling, wanted in values.items():
            assert np.array_equal(file[f"activations/{pooling}"][:], wanted)
            assert np.array_equal(file[f"checksums/{pooling}"][:].T, row_checksums(wanted))
            assert file[f"activations/{pooling}"].chunks == (6, 1, 12)
        assert file["done"][:].all()


@pytest.mark.parametrize("dtype", ["f4", "f2", "u1"])
@pytest.mark.parametrize("width", [1, 3, 6, 8, 12])
def test_checksum_sees_every_single_bit(dtype, width):
    rng = np.random.default_rng(width)
    values = rng.integers(1, 255, (3, width * np.dtype(dtype).itemsize), dtype=np.uint8).view(dtype)
    before = row_checksums(values)
    for bit in range(values[1].nbytes * 8):
        changed = values.copy()
        changed.view(np.uint8)[1, bit // 8] ^= 1 << (bit % 8)
        assert (row_checksums(changed) != before).tolist() == [False, True, False]
    assert row_checksums(np.zeros_like(values)).all()  # so that lost bytes do not match a lost checksum
