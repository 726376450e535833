import dataclasses
import json
import os
import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from prefillroute.errors import UserError
from prefillroute.router.bundle import WEIGHTS, read_bundle, write_bundle
from prefillroute.router.router import Router


def copied(bundle: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_the_folder_holds_two_files_and_no_pickle(bundle):
    assert sorted(path.name for path in bundle.iterdir()) == ["router.json", "weights.safetensors"]
    with safe_open(bundle / WEIGHTS, "pt") as file:
        prefixes = {name.split(".")[0] for name in file.keys()}  # noqa: SIM118
    assert prefixes == {"predictor", "calibration", "cost", "golden"}
    content = json.loads((bundle / "router.json").read_text("utf-8"))
    assert content["policy"]["arguments"] == {"lambda_": 0.3, "guard": 2.0}
    assert content["single"] is None
    assert content["metrics"] == {"mean_auc": 0.7, "cost_at_best_single": None}
    assert content["models"][0]["identity"]["weights"].startswith("toy:sha256=")
    assert [target["facts"]["name"] for target in content["targets"]] == ["small", "medium", "large"]
    assert content["targets"][0]["median_completion_tokens"] > 0


def test_one_flipped_bit_anywhere_in_the_weights_is_refused(bundle, tmp_path):
    folder = copied(bundle, tmp_path / "router")
    whole = (folder / WEIGHTS).read_bytes()
    rng = np.random.default_rng(0)
    for index in [0, 8, len(whole) - 1, *rng.integers(0, len(whole), 40)]:
        raw = bytearray(whole)
        raw[index] ^= 1 << int(rng.integers(8))
        (folder / WEIGHTS).write_bytes(raw)
        with pytest.raises(UserError, match="damaged") as caught:
            Router.load(folder)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_truncated_weights_are_refused(bundle, tmp_path, share):
    folder = copied(bundle, tmp_path / "router")
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match=f"expected {len(whole)} bytes, found"):
        Router.load(folder)


def test_missing_folder_and_missing_file_are_refused(bundle, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        Router.load(tmp_path / "none")
    folder = copied(bundle, tmp_path / "router")
    (folder / WEIGHTS).unlink()
    with pytest.raises(UserError, match="No such file"):
        Router.load(folder)


def test_parts_that_do_not_fit_are_refused_though_the_sums_are_right(bundle, tmp_path):
    whole = read_bundle(bundle)

    def written(name: str, arrays: dict[str, np.ndarray] | None = None, **changes: object) -> Path:
        write_bundle(tmp_path / name, dataclasses.replace(whole.manifest, **changes), arrays or whole.arrays)
        return tmp_path / name

    evil = {**whole.manifest.predictor, "class": "os.system"}
    with pytest.raises(UserError, match=r"class: expected a Predictor of prefillroute, found 'os\.system'"):
        Router.load(written("class", predictor=evil))
    with pytest.raises(UserError, match="targets"):
        Router.load(written("targets", targets=whole.manifest.targets[:2]))
    with pytest.raises(UserError, match=r"class: expected a Policy of prefillroute, found .*PlattCalibrator"):
        Router.load(written("policy", policy=whole.manifest.calibration))
    with pytest.raises(UserError, match=r"single: expected one of small, .*, found 'huge'"):
        Router.load(written("single", single="huge"))
    lost = {name: array for name, array in whole.arrays.items() if name != "calibration.slope_"}
    with pytest.raises(UserError, match=r"PlattCalibrator: expected what it was stored with"):
        Router.load(written("calibration", lost))
    with pytest.raises(UserError, match="expected what it was stored with"):
        Router.load(written("head", predictor={"class": whole.manifest.predictor["class"]}))
    name = "predictor.signal.transform_.weights.0"
    narrow = {**whole.arrays, name: whole.arrays[name][:-1]}
    with pytest.raises(UserError, match=r"block 0 .*: expected a weight of shape \(16, 6\), found \(15, 6\)"):
        Router.load(written("narrow", narrow))
    scaled = {**whole.arrays, name: whole.arrays[name] * 1.01}
    with pytest.raises(UserError, match="golden vectors: expected probabilities off by at most"):
        Router.load(written("scaled", scaled))


def test_a_run_that_says_something_else_is_not_saved(fitted, tmp_path):
    with pytest.raises(UserError, match=r"found 1\.0e-04"):
        fitted.save(tmp_path / "router", golden=fitted.golden(3, off=1e-4))
    assert not (tmp_path / "router").exists()


def test_full_disk_leaves_the_older_bundle_and_no_rubbish(fitted, tmp_path):
    path = fitted.save(tmp_path / "router")
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError, match="no bundle was written"):
            fitted.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    assert os.listdir(tmp_path) == ["router"]


def test_saving_again_replaces_the_whole_folder_and_is_deterministic(fitted, tmp_path):
    path = fitted.save(tmp_path / "router")
    first = {file.name: file.read_bytes() for file in path.iterdir()}
    (path / "stray").write_text("x")
    fitted.save(path)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == first
    assert load_file(path / WEIGHTS).keys() == read_bundle(path).arrays.keys()


def test_a_bundle_is_written_beside_its_place_not_in_the_folder_of_temporary_files(
    fitted, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        tempfile, "tempdir", str(tmp_path / "on another disk")
    )  # a rename from there would fail
    assert (fitted.save(tmp_path / "router") / WEIGHTS).is_file()
