"""Plans what is left to extract: which rows go into which shard, given what the cache holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.caches.shard import Shard, ShardPlan, shard_name
from prefillroute.extraction.share import WorkShare

MakeBatches = Callable[[np.ndarray], list[np.ndarray]]
"""(N,) token counts -> row numbers of each batch, as `Backend.batches`."""


@dataclass(frozen=True)
class ShardWork:
    """Rows of one shard, new or started earlier, in batches."""

    path: Path
    plan: ShardPlan
    batches: tuple[np.ndarray, ...]
    """Row numbers of the plan. The plan fixes the batches, so a resumed run computes the same numbers."""


def plan_work(
    folder: Path,
    shards: Sequence[Shard],
    lengths: Mapping[str, int],
    layer_ids: Sequence[int],
    poolings: Sequence[str],
    batches: MakeBatches,
    share: WorkShare,
) -> list[ShardWork]:
    """Divide what is missing into work on shards started earlier and work on new ones.

    Args:
        folder: folder of the shards.
        shards: existing shards.
        lengths: key -> fed tokens, for all requested rows, in a stable order.
        layer_ids: requested layers.
        poolings: requested poolings.
        batches: arranges the rows of a new shard.
        share: which of these rows are this job's.

    Returns:
        Shards to fill; empty when nothing is missing.
    """
    keys = list(lengths)
    sizes = np.asarray([lengths[key] for key in keys], dtype=np.int64)
    mine = {keys[row] for row in share.rows(sizes)}
    cells = [(layer, pooling) for layer in layer_ids for pooling in poolings]
    missing = {key: set(cells) for key in keys if key in mine}
    for shard in shards:
        held = {(k, p) for k in shard.plan.layer_ids for p in shard.plan.poolings}
        for row in np.flatnonzero(shard.done):
            if (key := shard.plan.keys[row]) in missing:
                missing[key] -= held
    work = []
    for shard in shards:
        held = {(k, p) for k in shard.plan.layer_ids for p in shard.plan.poolings}
        rows = [
            row
            for row in np.flatnonzero(~shard.done)
            if shard.part == share.label and missing.get(shard.plan.keys[row], set()) & held
        ]
        if rows:
            work.append(ShardWork(shard.path, shard.plan, _planned_batches(shard.plan, np.asarray(rows))))
            for row in rows:
                missing[shard.plan.keys[row]] -= held
    groups: dict[tuple[tuple[int, ...], tuple[str, ...]], list[str]] = {}
    for key, absent in missing.items():
        if absent:
            layers = tuple(sorted({layer for layer, _ in absent}))
            groups.setdefault((layers, tuple(sorted({name for _, name in absent}))), []).append(key)
    for (layers, names), group in groups.items():
        work.append(_new_shard(folder, group, lengths, layers, names, batches, share))
    return work


def _new_shard(
    folder: Path,
    keys: Sequence[str],
    lengths: Mapping[str, int],
    layer_ids: tuple[int, ...],
    poolings: tuple[str, ...],
    batches: MakeBatches,
    share: WorkShare,
) -> ShardWork:
    sizes = np.asarray([lengths[key] for key in keys], dtype=np.int32)
    planned = batches(sizes)
    order = np.concatenate(planned)
    plan = ShardPlan(
        keys=tuple(keys[row] for row in order),
        fed_tokens=sizes[order],
        batch=np.repeat(np.arange(len(planned), dtype=np.int32), [len(batch) for batch in planned]),
        layer_ids=layer_ids,
        poolings=poolings,
    )
    path = folder / shard_name(plan, share.num, share.index)
    return ShardWork(path, plan, _planned_batches(plan, np.arange(len(order))))


def _planned_batches(plan: ShardPlan, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    cuts = np.flatnonzero(np.diff(plan.batch[rows])) + 1
    return tuple(np.split(rows, cuts))
