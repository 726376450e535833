"""Bad activation caches and encoders, met by `python train.py` and `prefillroute extract`."""

import fcntl
import shutil

import h5py
import numpy as np

from experiments.badinput.case import Case
from experiments.badinput.damage import cell, cut, flipped, removed, replaced
from experiments.badinput.workspace import Workspace

LONG_PROMPT = "count these words " * 40


def _train(workspace: Workspace) -> list[str]:
    return workspace.train()


def _extract(workspace: Workspace) -> list[str]:
    return workspace.extract()


def _fresh(workspace: Workspace) -> list[str]:
    """Extraction into a cache that is not there yet."""
    return workspace.extract("encoder.name=fresh")


def _without_cache(workspace: Workspace) -> None:
    shutil.rmtree(workspace.caches)


def _another_version(workspace: Workspace) -> None:
    """The index says so in the header before its HDF5 part, a shard in an attribute."""
    index = workspace.caches / "toy-chat.h5"
    raw = index.read_bytes()
    assert b"\nversion=1\n" in raw[:512], "the index's header names its version"
    index.write_bytes(raw.replace(b"\nversion=1\n", b"\nversion=9\n", 1))
    for path in workspace.caches.rglob("part-*.h5"):
        with h5py.File(path, "r+") as file:
            file.attrs["format_version"] = 9


def _not_a_number(workspace: Workspace) -> None:
    """NaN in every activation array that holds data of its own (the index's are views of the shards)."""

    def damage(_: str, item: object) -> None:
        if (
            isinstance(item, h5py.Dataset)
            and not item.is_virtual
            and item.dtype.kind == "f"
            and item.ndim > 1
        ):
            item[0] = np.nan

    for path in workspace.caches.rglob("*.h5"):
        with h5py.File(path, "r+") as file:
            file.visititems(damage)


def _locked(workspace: Workspace) -> None:
    """Hold the shard's lock, as a running extraction would, until this process ends."""
    for path in workspace.caches.rglob("part-*.lock"):
        handle = path.open("r+")
        fcntl.flock(handle, fcntl.LOCK_EX)
        _HELD.append(handle)


_HELD: list[object] = []

CASES = (
    Case("cache: missing", _train, "prefillroute extract", _without_cache),
    Case("cache: index cut short", _train, "caches/.*prefillroute extract", cut("caches/*.h5")),
    Case("cache: shard cut short", _train, "caches/.*prefillroute extract", cut("caches/**/*.h5", 0.7)),
    Case("cache: shards missing", _train, "caches/.*prefillroute extract", removed("caches/*/*.h5")),
    Case(
        "cache: another version", _train, "caches/.*h5: expected format version 1, found 9", _another_version
    ),
    Case(
        "extract: shards of another version",
        _extract,
        "part-.*expected format version 1, found 9",
        _another_version,
    ),
    Case("cache: NaN in it", _train, "caches/.*(NaN|checksum)", _not_a_number),
    Case(
        "cache: of another encoder", lambda w: w.train("encoder.num_layers=3"), r"num_layers=2.*num_layers=3"
    ),
    Case(
        "cache: a prompt is not in it",
        _train,
        "prefillroute extract",
        cell("queries.parquet", 3, "prompt", "new one"),
    ),
    Case(
        "cache: locked by an extraction",
        lambda w: w.extract("share.verify=true"),
        "being written",
        _locked,
    ),
    Case(
        "extract: template changed since",
        _extract,
        "chat_template",
        replaced("encoder/chat_template.jinja", "<|user|>", "<|user|> "),
    ),
    Case(
        "extract: weights cut short",
        _fresh,
        "expected a model that can be loaded",
        cut("encoder/model.safetensors"),
    ),
    Case("extract: weights missing", _fresh, "no weights", removed("encoder/model.safetensors")),
    Case("extract: tokenizer missing", _extract, "encoder|tokenizer", removed("encoder/token*")),
    Case(
        "extract: weights changed since",
        _extract,
        "made with weights=",
        flipped("encoder/model.safetensors", 0.9),
    ),
    Case(
        "extract: wrong hidden_size in the facts",
        lambda w: w.extract("encoder.name=fresh", "encoder.hidden_size=32"),
        "hidden_size.*16",
    ),
    Case(
        "extract: no network",
        lambda w: w.extract("encoder.repo=HuggingFaceTB/SmolLM2-135M-Instruct", "encoder.name=hub"),
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    Case("extract: disk full", _extract, "caches", _without_cache, limit_bytes=20000),
    Case(
        "extract: read-only caches",
        lambda w: w.extract("encoder.name=fresh"),
        "caches",
        read_only=("caches",),
    ),
    Case(
        "extract: prompt longer than the context (works, counts it)",
        _extract,
        r"\b1\b.*(truncat|cut|longer)|(truncat|cut|longer).*\b1\b",
        cell("queries.parquet", 0, "prompt", LONG_PROMPT),
        status=0,
        may_change=("caches/toy-chat.h5", "caches/toy-chat.shards/index.lock"),
    ),
)
