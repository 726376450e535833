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

from prefillroute.config.facts import EncoderConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.layers.choice import Block

FORMAT_VERSION = 1
"""Raised when a bundle written by this version could be misread by an older one."""

_SUM = re.compile(rb'("manifest_sha256": ")([0-9a-f]{64})(")')
_BLANK = "0" * 64


@dataclass(frozen=True)
class EncoderEntry:
    """An encoder as the run used it: its facts, and the identity that its cache recorded (`CacheIdentity`)."""

    facts: EncoderConfig
    identity: dict[str, Any]


@dataclass(frozen=True)
class TargetEntry:
    """A target with its prices, and the median completion tokens o_m that its cost estimate uses."""

    facts: TargetConfig
    median_completion_tokens: float | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of ``router.json``; the order of the fields is the order in the file."""

    encoders: tuple[EncoderEntry, ...]
    blocks: tuple[Block, ...]
    """Feature blocks in the order of the features."""
    targets: tuple[TargetEntry, ...]
    """In pool order."""
    head: dict[str, Any]
    """`spec.store` of the head, without its weights."""
    calibration: dict[str, Any]
    """`Calibrator.state`."""
    cost: dict[str, Any]
    """`CostModel.state`."""
    policy: dict[str, Any]
    """Name and value of the default policy, see `router.policies.policy_spec`."""
    cost_range: tuple[float, float]
    """(c_lo, c_hi) in USD over training queries x targets (DESIGN section 5, eq. 4)."""
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


def read_manifest(path: Path) -> Manifest:
    """Read and check ``router.json``.

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
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path}: expected format_version {FORMAT_VERSION}, found {version!r}; train again or install the "
            "prefillroute version that wrote the bundle"
        )
    _check_sum(raw, path)
    return _manifest(content, path)


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


def _manifest(content: dict[str, Any], path: Path) -> Manifest:
    """Build the dataclasses. Keys are checked because a handmade file may have a correct checksum."""
    names = {f.name for f in dataclasses.fields(Manifest)}
    keys = set(content) - {"format_version", "manifest_sha256"}
    if keys != names:
        odd = ", ".join(sorted(keys ^ names))
        raise UserError(
            f"{path}: expected exactly the keys {', '.join(sorted(names))}, found missing or unknown: {odd}"
        )
    try:
        return Manifest(
            encoders=tuple(
                EncoderEntry(EncoderConfig(**entry["facts"]), entry["identity"])
                for entry in content["encoders"]
            ),
            blocks=tuple(Block.from_dict(block) for block in content["blocks"]),
            targets=tuple(
                TargetEntry(TargetConfig(**entry["facts"]), entry["median_completion_tokens"])
                for entry in content["targets"]
            ),
            head=dict(content["head"]),
            calibration=dict(content["calibration"]),
            cost=dict(content["cost"]),
            policy=dict(content["policy"]),
            cost_range=(float(content["cost_range"][0]), float(content["cost_range"][1])),
            correct_threshold=float(content["correct_threshold"]),
            fingerprint=dict(content["fingerprint"]),
            metrics=dict(content["metrics"]),
            weights_bytes=int(content["weights_bytes"]),
            weights_sha256=str(content["weights_sha256"]),
            written_by=str(content["written_by"]),
        )
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise UserError(f"{path}: expected the content of a bundle, found {error!r}; train again") from error
