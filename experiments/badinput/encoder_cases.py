"""Encoders whose rows see each other, and file systems without locks."""

import errno
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Gemma3TextModel,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedModel,
)

from experiments.badinput import toy
from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both
from experiments.badinput.workspace import Workspace

SIZES: dict[str, Any] = {
    "vocab_size": 260, "hidden_size": toy.HIDDEN_SIZE, "num_hidden_layers": toy.NUM_LAYERS, "num_attention_heads": 2,
    "intermediate_size": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.5,
}  # fmt: skip
GEMMA = SIZES | {
    "num_key_value_heads": 1,
    "head_dim": 8,
    "sliding_window": 16,
    "use_bidirectional_attention": True,
}
NOT_CAUSAL: dict[str, tuple[Callable[[], PreTrainedModel], str]] = {
    "ModernBERT": (
        lambda: ModernBertModel(ModernBertConfig(**SIZES, cls_token_id=1, sep_token_id=2)),
        r"ModernBertModel, which is not causal \(.*is_causal=False\)",
    ),
    "a Gemma whose attention looks ahead": (
        lambda: Gemma3TextModel(Gemma3TextConfig(**GEMMA)),
        r"Gemma3TextModel, which is not causal \(config\.use_bidirectional_attention=True\)",
    ),
    "BERT": (lambda: BertModel(BertConfig(**SIZES)), r"BertModel, which is not causal"),
    "DeBERTa, whose blocks are of another kind": (
        lambda: DebertaV2Model(DebertaV2Config(**SIZES)),
        "expected a list of that many blocks, found none in DebertaV2Model",
    ),
}


def _weights(make: Callable[[], PreTrainedModel]) -> Prepare:
    """Another model in the toy encoder's folder, beside its tokenizer."""

    def prepare(workspace: Workspace) -> None:
        for path in workspace.encoder.glob("*.safetensors"):
            path.unlink()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            make().save_pretrained(workspace.encoder)

    return prepare


def _without_cache(workspace: Workspace) -> None:
    shutil.rmtree(workspace.caches)


def _no_locks(workspace: Workspace) -> None:
    """A library that takes `flock` away, as mounts of Lustre or NFS do."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("no C compiler for a library that takes flock away")
    source = Path(__file__).with_name("noflock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "noflock.so", source], cwd=workspace.root, check=True)


def _with(number: int, command: Callable[[Workspace], list[str]]) -> Callable[[Workspace], list[str]]:
    """The command where every `flock` ends in this errno."""
    return lambda workspace: [
        "/usr/bin/env", f"LD_PRELOAD={workspace.root / 'noflock.so'}", f"NOFLOCK_ERRNO={number}", *command(workspace),
    ]  # fmt: skip


def _held(host: str) -> Prepare:
    """The lock file of the first shard, as a process of this or another machine leaves it; process 1 never ends."""

    def prepare(workspace: Workspace) -> None:
        started = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
        holder = {
            "host": host, "pid": 1, "namespace": os.readlink("/proc/self/ns/pid"), "started": started,
            "since": "2026-01-01T00:00:00+00:00",
        }  # fmt: skip
        (lock,) = workspace.caches.rglob("part-*.lock")
        lock.with_suffix(".held").write_text(json.dumps(holder))

    return prepare


def _fresh(workspace: Workspace) -> list[str]:
    return workspace.extract("encoder.name=fresh")


def _verified(workspace: Workspace) -> list[str]:
    return workspace.extract("share.verify=true")


CASES = (
    *(
        Case(f"encoder: {name}", _fresh, wanted, _weights(make))
        for name, (make, wanted) in NOT_CAUSAL.items()
    ),
    Case(
        "encoder: not causal, over the cache of a causal one",
        lambda w: w.extract(),
        "not causal|made with weights=",
        _weights(NOT_CAUSAL["ModernBERT"][0]),
    ),
    Case(
        "perplexity: a language model whose attention looks ahead",
        lambda w: w.command(
            "perplexity",
            *(text for text in w.facts() if text.startswith("pool")),
            "language_model=gpt2",
            "language_model.name=toy",
            "language_model.repo=encoder",
            "language_model.context_length=128",
        ),
        r"language model toy: .*not causal|language_model toy: .*not causal",
        _weights(lambda: Gemma3ForCausalLM(Gemma3TextConfig(**GEMMA))),
    ),
    *(
        Case(
            f"no locks: extraction where flock says {name} (works)",
            _with(number, _fresh),
            r"^caches/fresh-chat\.h5: 160 queries",
            _no_locks,
            status=0,
            never="being written",
        )
        for name, number in (("ENOSYS, as Lustre", errno.ENOSYS), ("ENOLCK, as NFS", errno.ENOLCK))
    ),
    Case(
        "no locks: another machine holds the lock file",
        _with(errno.ENOSYS, _verified),
        r"is being written by process 1 on node17 since .*this file system has no locks.*remove caches/.*\.held",
        both(_no_locks, _held("node17")),
    ),
    Case(
        "no locks: a process of this machine holds the lock file, met where there are locks",
        _verified,
        r"is being written by process 1 on .*remove caches/.*\.held",
        _held(socket.gethostname()),
    ),
    Case(
        "no locks: a disk that fails",
        _with(errno.EIO, _fresh),
        r"caches/.*expected a file system with locks, found Input/output error; .*another paths\.caches",
        _no_locks,
    ),
)
