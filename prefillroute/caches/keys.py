"""The names of cache rows and prompts: SHA-256 digests (DESIGN section 6)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prefillroute.config.filling import filling_commands
from prefillroute.text import hints

DIGEST_BYTES = 32


def activation_key(token_ids: Sequence[int] | np.ndarray) -> str:
    """SHA-256 (hex) of the token ids that are fed, after template and truncation, as little-endian int32."""
    return hashlib.sha256(np.asarray(token_ids, dtype="<i4").tobytes()).hexdigest()


def prompt_digest(prompt: str) -> str:
    """SHA-256 (hex) of a prompt's text. Lone surrogates (not valid UTF-8) are hashed as they stand."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()


def to_bytes(digests: Sequence[str]) -> np.ndarray:
    """Hex digests -> (N, 32) uint8, the form that HDF5 holds."""
    joined = bytes.fromhex("".join(digests))
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(digests), DIGEST_BYTES).copy()


def to_hex(digests: np.ndarray) -> list[str]:
    """(N, 32) uint8 -> hex digests."""
    return [row.tobytes().hex() for row in np.ascontiguousarray(digests, dtype=np.uint8)]


def cache_path(caches: Path, encoder: str, prompt_format: str = "chat") -> Path:
    """Index file of an encoder's cache; the shards are in the folder with the same stem."""
    return Path(caches) / f"{encoder}-{prompt_format}.h5"


def shards_folder(index: Path) -> Path:
    """Folder with the shard files that the index joins."""
    return index.with_suffix(".shards")


def extract_command(encoder: str, prompt_format: str = "chat") -> str:
    """The command that creates, completes or repairs a cache; every error message names it.

    Caches of other models than encoders are named `<group>.<name>`.
    """
    group, _, name = encoder.partition(".")
    if name and group in filling_commands():  # their prompts are always plain
        return hints.fill(filling_commands()[group], group, name)
    plain = " encoder.prompt_format=plain" if prompt_format == "plain" else ""
    return f"{hints.fill('extract', 'encoder', encoder)}{plain}"


def command_for(path: Path) -> str:
    """`extract_command` of the cache whose index file or shards folder this is."""
    encoder, _, prompt_format = path.stem.rpartition("-")
    return extract_command(encoder, prompt_format)
