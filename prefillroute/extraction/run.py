"""Extracts the activations of many queries into a cache with any backend, continuing from what the cache holds."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import build_index, read_index
from prefillroute.caches.keys import activation_key, cache_path, prompt_digest, shards_folder
from prefillroute.caches.queries import QueryTable
from prefillroute.caches.shard import list_shards, open_shard
from prefillroute.caches.writer import ActivationWriter
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import (
    Answer,
    Backend,
    Batch,
    Pooled,
    read_checked,
    read_together,
)
from prefillroute.extraction.causality import check_alone_and_together, short_company
from prefillroute.extraction.planning import ShardWork, plan_work
from prefillroute.extraction.progress import ExtractionProgress, Silent
from prefillroute.extraction.prompts import EncodedPrompt
from prefillroute.extraction.report import ExtractionReport
from prefillroute.extraction.share import WorkShare


def extract(
    backend: Backend,
    query_ids: Sequence[str],
    prompts: Sequence[str],
    caches: Path,
    share: WorkShare | None = None,
    progress: ExtractionProgress | None = None,
) -> ExtractionReport:
    """Bring all queries into the backend's cache. Resumable at any point; nothing cached is computed again.

    Args:
        backend: what reads the queries.
        query_ids: N stable ids.
        prompts: N texts.
        caches: folder of all caches.
        share: this job's part of the work, and whether to verify the cache first; by default all of it, unverified.
        progress: receives the progress made.

    Returns:
        What was done. With `share.num` > 1 this is this job's part, while the index joins the work of all jobs.

    Raises:
        UserError: the cache does not match, is damaged or is locked; the model gives a query other activations in a
            batch than alone (detected before anything is written); an activation is invalid; the backend returns
            something else than it was asked for; or there is no room.
    """
    share, progress = share or WorkShare(), progress or Silent()
    identity = backend.identity
    path = cache_path(caches, identity.encoder, identity.prompt_format)
    folder = shards_folder(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"paths.caches={caches}: expected a writable folder, found {error.strerror}"
        ) from error
    _refuse_other_identity(path, identity)

    table, token_ids = _encode(backend.prompts, query_ids, prompts)
    lengths = {key: len(ids) for key, ids in token_ids.items()}
    name_of = dict(zip(reversed(table.keys), reversed(table.query_ids), strict=True))
    shards = list_shards(folder, identity)
    damaged = 0
    if share.verify:
        damaged = sum(_verify(shard.path, identity) for shard in shards)
        shards = list_shards(folder, identity)
    work = plan_work(folder, shards, lengths, backend.layer_ids, backend.poolings, backend.batches, share)
    rows = sum(len(batch) for job in work for batch in job.batches)
    tokens = sum(int(job.plan.fed_tokens[batch].sum()) for job in work for batch in job.batches)
    started = time.monotonic()
    first: Pooled | None = None
    if work:
        # Loading does not count towards our speed, and neither does the check.
        backend.load(work[0].plan.layer_ids, work[0].plan.poolings)
        started = time.monotonic()
        first = _read(backend, work[0], work[0].batches[0], token_ids)
        checking = time.monotonic()
        _check_model(backend, work[0], first, token_ids, name_of)
        started += time.monotonic() - checking
        progress.start(rows, tokens)
    try:
        for job in work:
            with ActivationWriter(job.path, job.plan, identity, share.label, backend.versions) as writer:
                _fill(backend, writer, job, token_ids, name_of, progress, first)
            first = None
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
    backend: Backend,
    writer: ActivationWriter,
    job: ShardWork,
    token_ids: dict[str, np.ndarray],
    name_of: dict[str, str],
    progress: ExtractionProgress,
    first: Pooled | None,
) -> None:
    """Read and store a job's batches; `first` is the result of the first batch if it has already been read."""
    with closing(_answers(backend, job, token_ids, first)) as answers:
        for rows, pooled in answers:
            writer.write(rows.tolist(), pooled, [name_of[job.plan.keys[row]] for row in rows])
            progress.advance(len(rows), int(job.plan.fed_tokens[rows].sum()))


def _answers(
    backend: Backend, job: ShardWork, token_ids: dict[str, np.ndarray], first: Pooled | None
) -> Generator[Answer, None, None]:
    batches = job.batches
    if first is not None:
        yield batches[0], first
        batches = batches[1:]
    work = (Batch(rows, _token_ids(job, rows, token_ids)) for rows in batches)
    yield from read_checked(backend, work, job.plan.layer_ids, job.plan.poolings)


def _read(
    backend: Backend, job: ShardWork, rows: np.ndarray, token_ids: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    ids = _token_ids(job, rows, token_ids)
    return read_together(backend, ids, job.plan.layer_ids, job.plan.poolings)


def _token_ids(job: ShardWork, rows: np.ndarray, token_ids: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [token_ids[job.plan.keys[row]] for row in rows]


def _check_model(
    backend: Backend, job: ShardWork, first: Pooled, token_ids: dict[str, np.ndarray], name_of: dict[str, str]
) -> None:
    """Refuse a model whose rows affect each other: check a query of the first batch, and a short one with much padding.

    The first batch has the longest queries, all of nearly the same length, so it contains little padding.
    """
    layer_ids, poolings = job.plan.layer_ids, job.plan.poolings
    rows = np.concatenate(job.batches)
    short = rows[np.asarray(short_company(job.plan.fed_tokens[rows].tolist()), dtype=np.int64)]
    batches = [(job.batches[0], first)]
    if len(job.batches) > 1 and len(short):
        batches.append((short, _read(backend, job, short, token_ids)))
    for batch, together in batches:
        check_alone_and_together(
            lambda ids: read_together(backend, ids, layer_ids, poolings),
            _token_ids(job, batch, token_ids),
            together,
            [name_of[job.plan.keys[row]] for row in batch],
            layer_ids,
            backend.identity.compute_dtype,
            f"encoder {backend.identity.encoder}",
        )


def _encode(
    encode: Callable[[Sequence[str]], list[EncodedPrompt]], query_ids: Sequence[str], prompts: Sequence[str]
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
