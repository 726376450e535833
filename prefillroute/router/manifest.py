"""``router.json``: everything in a router bundle that is not an array, and the proof that the bundle is intact.

DESIGN section 6. Two SHA-256 sums make a single flipped byte anywhere in a bundle an error: `weights_sha256` covers
``weights.safetensors``, and `manifest_sha256` covers ``router.json`` itself, computed with its own 64 digits set to
zero.
"""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefillroute.caches.identity import CacheIdentity
from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.readings.contract import Reading
from prefillroute.readings.live import ModelEntry
from prefillroute.readings.reader import reader_of

FORMAT_VERSION = 2
"""Raised when a bundle written by this version could be misread by an older one."""

_SUM = re.compile(rb'("manifest_sha256": ")([0-9a-f]{64})(")')
_BLANK = "0" * 64


@dataclass(frozen=True)
class TargetEntry:
    """A target with its prices, and the median completion tokens o_m that its cost estimate uses."""

    facts: TargetConfig
    median_completion_tokens: float | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of ``router.json``; the order of the fields is the order in the file."""

    models: tuple[ModelEntry, ...]
    """What is run on a new query, in the order in which the predictor reads them."""
    counter: Reading | None
    """The model whose tokenizer counts a query's tokens for its costs; None counts none."""
    columns: dict[str, list[str]]
    """What the predictor reads of a query itself, and the golden queries' values; their texts are always kept."""
    targets: tuple[TargetEntry, ...]
    """In pool order."""
    predictor: dict[str, Any]
    """`spec.store` of the predictor, and so are the next three."""
    calibration: dict[str, Any]
    cost: dict[str, Any]
    policy: dict[str, Any]
    single: str | None
    """The target that takes every query before the policy is consulted, if the run's guard says so."""
    correct_threshold: float
    fingerprint: dict[str, Any]
    """What identifies the run: seed, data, versions."""
    metrics: dict[str, Any]
    """Headline metrics on the run's test part."""
    weights_bytes: int
    weights_sha256: str
    written_by: str

    @property
    def target_names(self) -> tuple[str, ...]:
        """Targets in pool order."""
        return tuple(entry.facts.name for entry in self.targets)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` to `path`, with the checksum of its own text.

    Raises:
        ValueError: a value is NaN or infinite, which JSON cannot express; use None instead.
    """
    content = {"format_version": FORMAT_VERSION, **dataclasses.asdict(manifest), "manifest_sha256": _BLANK}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text.replace(f'"manifest_sha256": "{_BLANK}"', f'"manifest_sha256": "{digest}"'), "utf-8")


def read_content(path: Path, versions: tuple[int, ...]) -> dict[str, Any]:
    """Read ``router.json`` as plain values, and check that not a byte of it has changed.

    Args:
        path: the file.
        versions: the format versions that can be read.

    Raises:
        UserError: the file is missing, is not JSON, has another format version, or has changed since it was written.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: expected the router.json of a bundle that a training run wrote, found {error.strerror or error}"
        ) from error
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise UserError(
            f"{path}: damaged or truncated: expected the JSON that a run wrote, found {error}"
        ) from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version not in versions:
        raise UserError(
            f"{path}: expected format_version {' or '.join(map(str, versions))}, found {version!r}; train again or "
            "install the prefillroute version that wrote the bundle"
        )
    _check_sum(raw, path)
    found: dict[str, Any] = content
    return found


def parse_manifest(content: dict[str, Any], path: Path) -> Manifest:
    """Build the dataclasses. Keys are checked because a handmade file may have a correct checksum.

    Raises:
        UserError: a key is missing or unknown, or a value is of another kind.
    """
    names = {f.name for f in dataclasses.fields(Manifest)}
    keys = set(content) - {"format_version", "manifest_sha256"}
    if keys != names:
        odd = ", ".join(sorted(keys ^ names))
        raise UserError(
            f"{path}: expected exactly the keys {', '.join(sorted(names))}, found missing or unknown: {odd}"
        )
    try:
        single, counter = content["single"], content["counter"]
        return Manifest(
            models=tuple(_model(entry, path) for entry in content["models"]),
            counter=None if counter is None else Reading(**counter),
            columns={str(name): [str(item) for item in items] for name, items in content["columns"].items()},
            targets=tuple(
                TargetEntry(TargetConfig(**entry["facts"]), entry["median_completion_tokens"])
                for entry in content["targets"]
            ),
            **{part: dict(content[part]) for part in ("predictor", "calibration", "cost", "policy")},
            single=None if single is None else str(single),
            correct_threshold=float(content["correct_threshold"]),
            fingerprint=dict(content["fingerprint"]),
            metrics=dict(content["metrics"]),
            weights_bytes=int(content["weights_bytes"]),
            weights_sha256=str(content["weights_sha256"]),
            written_by=str(content["written_by"]),
        )
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: expected the content of a bundle, found {error!r}; train again") from error


def _check_sum(raw: bytes, path: Path) -> None:
    """Compare the checksum of the text with the one that it contains."""
    found = _SUM.findall(raw)
    wanted = found[-1][1].decode() if found else "none"
    blanked = _SUM.sub(rb"\g<1>" + _BLANK.encode() + rb"\g<3>", raw)
    actual = hashlib.sha256(blanked).hexdigest()
    if len(found) != 1 or actual != wanted:
        raise UserError(
            f"{path}: damaged or edited: expected sha256 {wanted[:12]}... (manifest_sha256), found "
            f"{actual[:12]}...; copy the bundle again or train again"
        )


def _model(entry: dict[str, Any], path: Path) -> ModelEntry:
    reading = Reading(**entry["reading"])
    return ModelEntry(
        reading,
        reader_of(reading.group).form(**entry["facts"]),
        CacheIdentity.from_attributes(entry["identity"], path),
        tuple((int(layer), str(pooling)) for layer, pooling in entry["cells"]),
    )
