"""Extracts the activations of many queries into a cache, continuing from whatever it holds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import build_index, read_index
from prefillroute.caches.keys import activation_key, cache_path, prompt_digest, shards_folder
from prefillroute.caches.queries import QueryTable
from prefillroute.caches.shard import list_shards, open_shard
from prefillroute.caches.writer import ActivationWriter
from prefillroute.errors import UserError
from prefillroute.extraction.causality import Pooled, check_alone_and_together, short_company
from prefillroute.extraction.options import ExtractionOptions
from prefillroute.extraction.planning import ShardWork, part_label, plan_work
from prefillroute.extraction.progress import ExtractionProgress, Silent
from prefillroute.extraction.prompts import EncodedPrompt

Encode = Callable[[Sequence[str]], list[EncodedPrompt]]


class Encoder(Protocol):
    """What extraction needs from an encoder; `PrefillEncoder` is one, and so are embedders and language models."""

    layer_ids: tuple[int, ...]
    poolings: tuple[str, ...]

    @property
    def prompts(self) -> Encode:
        """Turns queries into the token ids that are fed."""

    @property
    def identity(self) -> CacheIdentity:
        """The identity that its caches are checked against."""

    @property
    def versions(self) -> str:
        """Library versions, for the record."""

    def narrow(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Capture only these from now on."""

    def activations(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Turn token ids into pooling -> (B, layers, hidden)."""


@dataclass(frozen=True)
class ExtractionReport:
    """What an extraction did."""

    path: Path
    """The cache's index file."""
    queries: int
    new_rows: int
    reused_rows: int
    truncated: int
    """Queries whose middle was cut."""
    sharing: int
    """Different texts that share a row because of that."""
    damaged: int
    """Rows that failed their checksum and were extracted again (`verify`)."""
    padding: float
    """Share of padding among the tokens of this run's batches."""
    tokens: int
    """Real tokens fed in this run."""
    seconds: float
    """Time from the first batch to the last, including writing but not loading and checking the model."""

    def lines(self) -> list[str]:
        """A summary for people to read."""
        lines = [f"{self.path}: {self.queries} queries, {self.new_rows} rows new, {self.reused_rows} reused"]
        if self.tokens:
            speed = f"{self.tokens / self.seconds:,.0f} tokens/s"
            lines.append(
                f"{self.tokens:,} tokens in {self.seconds:.1f} s, {speed}; padding {self.padding:.1%} of what was fed"
            )
        lines.append(
            f"{self.truncated} queries were longer than the limit and lost their middle; "
            f"{self.sharing} different texts share a row because of that"
        )
        if self.damaged:
            lines.append(f"{self.damaged} damaged rows were extracted again")
        return lines


def extract(
    encoder: Encoder,
    query_ids: Sequence[str],
    prompts: Sequence[str],
    caches: Path,
    options: ExtractionOptions,
    progress: ExtractionProgress | None = None,
) -> ExtractionReport:
    """Bring all queries into the encoder's cache. Resumable at any point; nothing cached is computed again.

    Args:
        encoder: the encoder.
        query_ids: N stable ids.
        prompts: N texts.
        caches: folder of all caches.
        options: batches, array jobs, verification.
        progress: receives the progress made.

    Returns:
        What was done. With `num_shards` > 1 this is this job's part, while the index joins the work of all jobs.

    Raises:
        UserError: the cache does not match, is damaged or is locked; the model gives a query other activations in a
            batch than alone (detected before anything is written); an activation is invalid; or there is no room.
    """
    progress = progress or Silent()
    identity = encoder.identity
    path = cache_path(caches, identity.encoder, identity.prompt_format)
    folder = shards_folder(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"paths.caches={caches}: expected a writable folder, found {error.strerror}"
        ) from error
    _refuse_other_identity(path, identity)

    table, token_ids = _encode(encoder.prompts, query_ids, prompts)
    lengths = {key: len(ids) for key, ids in token_ids.items()}
    name_of = dict(zip(reversed(table.keys), reversed(table.query_ids), strict=True))
    shards = list_shards(folder, identity)
    damaged = 0
    if options.verify:
        damaged = sum(_verify(shard.path, identity) for shard in shards)
        shards = list_shards(folder, identity)
    work = plan_work(
        folder,
        shards,
        lengths,
        encoder.layer_ids,
        encoder.poolings,
        tokens_per_batch=options.resolved_tokens_per_batch(),
        num_shards=options.num_shards,
        shard_index=options.shard_index,
    )
    rows = sum(len(batch) for job in work for batch in job.batches)
    tokens = sum(int(job.plan.fed_tokens[batch].sum()) for job in work for batch in job.batches)
    part = part_label(options.num_shards, options.shard_index)
    started = time.monotonic()
    first: Pooled = {}
    if work:
        encoder.narrow(
            work[0].plan.layer_ids, work[0].plan.poolings
        )  # loads the weights, which does not count towards our speed
        started = time.monotonic()
        first = encoder.activations(_token_ids(work[0], work[0].batches[0], token_ids))
        checking = time.monotonic()
        _check_model(encoder, work[0], first, token_ids, name_of)
        started += time.monotonic() - checking
    try:
        for number, job in enumerate(work):
            if number == 0:
                progress.start(rows, tokens)
            else:
                encoder.narrow(job.plan.layer_ids, job.plan.poolings)
            with ActivationWriter(job.path, job.plan, identity, part, encoder.versions) as writer:
                _fill(encoder, writer, job, token_ids, name_of, progress, first if number == 0 else None)
    finally:
        seconds = time.monotonic() - started
        progress.stop()
        index = build_index(path, identity, table)
    batches = [(job, batch) for job in work for batch in job.batches]
    padded = sum(len(batch) * int(job.plan.fed_tokens[batch].max()) for job, batch in batches)
    return ExtractionReport(
        path=path,
        queries=len(table),
        new_rows=rows,
        reused_rows=len(set(table.keys) & set(index.keys)) - rows,
        truncated=int(table.truncated.sum()),
        sharing=table.shared_through_truncation(),
        damaged=damaged,
        padding=1 - tokens / padded if padded else 0.0,
        tokens=tokens,
        seconds=seconds,
    )


def _fill(
    encoder: Encoder,
    writer: ActivationWriter,
    job: ShardWork,
    token_ids: dict[str, np.ndarray],
    name_of: dict[str, str],
    progress: ExtractionProgress,
    first: Pooled | None,
) -> None:
    """Run and store a job's batches; `first` is the result of the first batch if it has already run."""
    for number, batch in enumerate(job.batches):
        if number == 0 and first is not None:
            pooled = first
        else:
            pooled = encoder.activations(_token_ids(job, batch, token_ids))
        writer.write(batch.tolist(), pooled, [name_of[job.plan.keys[row]] for row in batch])
        progress.advance(len(batch), int(job.plan.fed_tokens[batch].sum()))


def _token_ids(job: ShardWork, rows: np.ndarray, token_ids: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [token_ids[job.plan.keys[row]] for row in rows]


def _check_model(
    encoder: Encoder, job: ShardWork, first: Pooled, token_ids: dict[str, np.ndarray], name_of: dict[str, str]
) -> None:
    """Refuse a model whose rows affect each other: check a query of the first batch, and a short one with much padding.

    The first batch has the longest queries, all of nearly the same length, so it contains little padding.
    """
    rows = np.concatenate(job.batches)
    short = rows[np.asarray(short_company(job.plan.fed_tokens[rows].tolist()), dtype=np.int64)]
    batches = [(job.batches[0], first)]
    if len(job.batches) > 1 and len(short):
        batches.append((short, encoder.activations(_token_ids(job, short, token_ids))))
    for batch, together in batches:
        check_alone_and_together(
            encoder.activations,
            _token_ids(job, batch, token_ids),
            together,
            [name_of[job.plan.keys[row]] for row in batch],
            job.plan.layer_ids,
            encoder.identity.compute_dtype,
            f"encoder {encoder.identity.encoder}",
        )


def _encode(
    encode: Encode, query_ids: Sequence[str], prompts: Sequence[str]
) -> tuple[QueryTable, dict[str, np.ndarray]]:
    """Tokenise in blocks; ids are kept as int32 arrays (4 bytes per token), once per key."""
    keys: list[str] = []
    counts: list[tuple[int, int, bool]] = []
    token_ids: dict[str, np.ndarray] = {}
    for start in range(0, len(prompts), 256):
        for encoded in encode(prompts[start : start + 256]):
            key = activation_key(encoded.token_ids)
            token_ids.setdefault(key, encoded.token_ids)
            keys.append(key)
            counts.append((encoded.query_tokens, len(encoded.token_ids), encoded.truncated))
    table = QueryTable(
        query_ids=tuple(str(query_id) for query_id in query_ids),
        prompts=tuple(prompt_digest(prompt) for prompt in prompts),
        keys=tuple(keys),
        query_tokens=np.asarray([count[0] for count in counts], dtype=np.int64),
        fed_tokens=np.asarray([count[1] for count in counts], dtype=np.int64),
        truncated=np.asarray([count[2] for count in counts], dtype=bool),
    )
    return table, token_ids


def _refuse_other_identity(path: Path, identity: CacheIdentity) -> None:
    """Refuse a readable index of another identity; a missing or damaged one is rebuilt at the end."""
    try:
        found = read_index(path).identity
    except UserError:
        return
    found.check(identity, path)


def _verify(path: Path, identity: CacheIdentity) -> int:
    """Mark the damaged rows of a shard as not done; returns their number."""
    shard = open_shard(path)
    with ActivationWriter(path, shard.plan, identity, shard.part, shard.versions) as writer:
        return len(writer.verify())
