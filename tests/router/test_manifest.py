import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.readings.contract import Reading
from prefillroute.readings.live import ModelEntry
from prefillroute.router.manifest import (
    FORMAT_VERSION,
    Manifest,
    TargetEntry,
    parse_manifest,
    read_content,
    write_manifest,
)

MANIFEST = Manifest(
    models=(
        ModelEntry(
            Reading("encoder", "toy"),
            EncoderConfig(
                name="toy", repo="org/toy", num_layers=2, hidden_size=8, context_length=64, params_b=0.1
            ),
            CacheIdentity("toy", "org/toy@1", 2, 8, "float32", "float32", "chat", "abc", "{}", 64),
            ((1, "last"), (2, "mean")),
        ),
    ),
    counter=Reading("encoder", "toy"),
    columns={"prompt": ["Как дела?", "one"]},
    targets=(TargetEntry(TargetConfig(name="a", price_in=1.0), 12.5), TargetEntry(TargetConfig(name="b"))),
    predictor={"class": "prefillroute.heads.x.X", "arguments": {"hidden": [4, 2]}, "fitted": {}},
    calibration={"class": "prefillroute.calibration.x.X"},
    cost={"class": "prefillroute.outcomes.costs.x.X"},
    policy={"class": "prefillroute.routing.policies.x.X"},
    single=None,
    correct_threshold=0.5,
    fingerprint={"seed": 0, "ключ": "значение"},
    metrics={"mean_auc": 0.7, "cost_at_best_single": None},
    weights_bytes=10,
    weights_sha256="0" * 64,
    written_by="prefillroute 0",
)


def read_manifest(path: Path) -> Manifest:
    return parse_manifest(read_content(path, (FORMAT_VERSION,)), path)


def test_what_was_written_is_read(tmp_path):
    write_manifest(MANIFEST, tmp_path / "router.json")
    assert read_manifest(tmp_path / "router.json") == MANIFEST
    assert json.loads((tmp_path / "router.json").read_text("utf-8"))["format_version"] == 2
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
    path.write_bytes(whole.replace(b'"format_version": 2', b'"format_version": 3'))
    with pytest.raises(UserError, match="expected format_version 2, found 3"):
        read_manifest(path)


def test_nan_has_no_place_in_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_manifest(dataclasses.replace(MANIFEST, metrics={"auc": float("nan")}), tmp_path / "router.json")
