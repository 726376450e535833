"""The router bundle on disk: ``router.json`` and ``weights.safetensors``, written together or not at all.

DESIGN section 6. Arrays are named ``predictor.*`` (scalers, PCA, the kept members), ``calibration.*``, ``cost.*`` and
``golden.*`` (readings of a few queries and the confidences they must give).
"""

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from prefillroute.errors import UserError
from prefillroute.router.manifest import (
    FORMAT_VERSION,
    Manifest,
    parse_manifest,
    read_content,
    write_manifest,
)
from prefillroute.router.upgrade import upgraded

MANIFEST = "router.json"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory: what ``router.json`` says and every array by name."""

    path: Path
    manifest: Manifest
    arrays: dict[str, np.ndarray]


def write_bundle(path: Path, manifest: Manifest, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a bundle to the folder `path`, whole or not at all; an older bundle there is replaced at the end.

    This function fills in the size and the checksum of the weights in `manifest`.

    Raises:
        UserError: the disk is full or not writable; whatever was at `path` is still there.
    """
    weights = save({name: np.array(array, order="C") for name, array in arrays.items()})
    whole = dataclasses.replace(
        manifest, weights_bytes=len(weights), weights_sha256=hashlib.sha256(weights).hexdigest()
    )
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        (temporary / WEIGHTS).write_bytes(weights)
        write_manifest(whole, temporary / MANIFEST)
        temporary.chmod(0o755)
        _replace(temporary, path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; no bundle was written") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _replace(new: Path, path: Path) -> None:
    """Put the folder `new` at `path`. A non-empty folder cannot be replaced in one step, so it is moved aside first."""
    if not path.exists():
        os.rename(new, path)
        return
    aside = Path(f"{new}.old")
    os.rename(path, aside)
    try:
        os.rename(new, path)
    except OSError:
        os.rename(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle and check that not a single byte of it has changed.

    Raises:
        UserError: a file is missing, truncated, damaged or of another format version.
    """
    if not path.is_dir():
        raise UserError(
            f"{path}: expected a router bundle (<run folder>/router of `prefillroute train`), found no such folder"
        )
    content = read_content(path / MANIFEST, (1, FORMAT_VERSION))
    wanted_bytes, wanted_digest = content["weights_bytes"], content["weights_sha256"]
    file = path / WEIGHTS
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}; copy the whole bundle again") from error
    if len(raw) != wanted_bytes:
        raise UserError(
            f"{file}: expected {wanted_bytes} bytes, found {len(raw)}; copy the whole bundle again"
        )
    digest = hashlib.sha256(raw).hexdigest()
    if digest != wanted_digest:
        raise UserError(
            f"{file}: damaged: expected sha256 {wanted_digest[:12]}..., found {digest[:12]}...; "
            "copy the bundle again"
        )
    try:
        # Copies, since safetensors gives views of bytes, which cannot be written to and torch warns of.
        arrays = {name: array.copy() for name, array in load(raw).items()}
    except SafetensorError as error:
        raise UserError(f"{file}: expected a safetensors file, found {error}; train again") from error
    if content["format_version"] == 1:
        content, arrays = upgraded(content, arrays, path)
    return Bundle(path, parse_manifest(content, path / MANIFEST), arrays)
