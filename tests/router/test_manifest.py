import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.layers.choice import Block
from prefillroute.router.manifest import (
    EncoderEntry,
    Manifest,
    TargetEntry,
    read_manifest,
    write_manifest,
)

MANIFEST = Manifest(
    encoders=(
        EncoderEntry(
            EncoderConfig(
                name="toy", repo="org/toy", num_layers=2, hidden_size=8, context_length=64, params_b=0.1
            ),
            {"template_hash": "abc", "dtype": "float32"},
        ),
    ),
    blocks=(Block("toy", (1,), "last", 4), Block("toy", (1, 2), "mean", 3)),
    targets=(TargetEntry(TargetConfig(name="a", price_in=1.0), 12.5), TargetEntry(TargetConfig(name="b"))),
    head={"class": "prefillroute.heads.x.X", "hyper": {"hidden": [4, 2]}},
    calibration={"slope": [1.0, 2.0]},
    cost={"kind": "tokens"},
    policy={"name": "lambda", "value": 0.3},
    cost_range=(1e-6, 2.5e-3),
    correct_threshold=0.5,
    fingerprint={"seed": 0, "ключ": "значение"},
    metrics={"mean_auc": 0.7, "cost_at_best_single": None},
    weights_bytes=10,
    weights_sha256="0" * 64,
    written_by="prefillroute 0",
)


def test_what_was_written_is_read(tmp_path):
    write_manifest(MANIFEST, tmp_path / "router.json")
    assert read_manifest(tmp_path / "router.json") == MANIFEST
    assert json.loads((tmp_path / "router.json").read_text("utf-8"))["format_version"] == 1
    assert MANIFEST.target_names == ("a", "b")


@settings(max_examples=60, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_any_changed_byte_is_refused_in_one_line(tmp_path_factory, position, change):
    path = tmp_path_factory.mktemp("m") / "router.json"
    write_manifest(MANIFEST, path)
    raw = bytearray(path.read_bytes())
    raw[int(position * len(raw))] ^= change
    path.write_bytes(bytes(raw))
    with pytest.raises(UserError) as caught:
        read_manifest(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_no_part_of_the_file_is_free_to_change(tmp_path):
    path = tmp_path / "router.json"
    write_manifest(MANIFEST, path)
    whole = path.read_bytes()
    for index in range(0, len(whole), 5):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        with pytest.raises(UserError):
            read_manifest(path)


def test_missing_cut_and_wrong_version(tmp_path):
    path = tmp_path / "router.json"
    with pytest.raises(UserError, match="No such file"):
        read_manifest(path)
    write_manifest(MANIFEST, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged or truncated"):
        read_manifest(path)
    path.write_bytes(whole.replace(b'"format_version": 1', b'"format_version": 2'))
    with pytest.raises(UserError, match="expected format_version 1, found 2"):
        read_manifest(path)


def test_nan_has_no_place_in_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_manifest(dataclasses.replace(MANIFEST, metrics={"auc": float("nan")}), tmp_path / "router.json")
