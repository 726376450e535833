"""Reads a cache one layer at a time, straight from the shards' extents, verifying every vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.caches.extents import read_rows
from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.index import IndexedShard, read_index
from prefillroute.caches.keys import command_for, prompt_digest, shards_folder
from prefillroute.errors import UserError
from prefillroute.text.hints import shell_word


@dataclass(frozen=True)
class CacheView:
    """The rows of some queries, in order. It holds no file handle, so it can be pickled and read by many processes."""

    folder: Path
    encoder: str
    num_layers: int
    """Blocks L of the encoder."""
    hidden_size: int
    layer_ids: tuple[int, ...]
    """Layers that all these queries have."""
    poolings: tuple[str, ...]
    query_ids: tuple[str, ...]
    query_tokens: np.ndarray
    """(N,) int64: tokens of the bare query by the encoder's tokenizer."""
    truncated: np.ndarray
    """(N,) bool: the query's middle was cut."""
    shards: tuple[IndexedShard, ...]
    """Their `shard_row` holds this view's N rows."""

    def read(self, layer: int, pooling: str) -> np.ndarray:
        """One layer of all queries; touches only that layer's bytes.

        Returns:
            (N, hidden) float32, rows in the order of `query_ids`.

        Raises:
            UserError: the layer or pooling is not cached, a shard is missing or truncated, or bytes have changed since
                they were written (checksum); the message names file and row.
        """
        if layer not in self.layer_ids or pooling not in self.poolings:
            # A view has every pooling of every layer, so that both are completed.
            layers = ",".join(str(known) for known in sorted({*self.layer_ids, layer}))
            poolings = ",".join(dict.fromkeys([*self.poolings, pooling]))
            raise UserError(
                f"{self.folder}: layer {layer} with pooling {pooling} is not cached for all "
                f"{len(self.query_ids)} queries (it has layers {list(self.layer_ids)}, poolings "
                f"{list(self.poolings)}); add it with {command_for(self.folder)} "
                f"{shell_word(f'request.layers=[{layers}]')} {shell_word(f'request.poolings=[{poolings}]')}"
            )
        out = np.empty((len(self.query_ids), self.hidden_size), dtype=np.float32)
        open_rows = np.ones(len(out), dtype=bool)
        for shard in self.shards:
            extents = shard.extents
            if layer not in extents.layer_ids or pooling not in extents.activations:
                continue
            mine = np.flatnonzero(open_rows & (shard.shard_row >= 0))
            if len(mine):
                read_rows(self.folder, extents, layer, pooling, shard.shard_row[mine], out, mine)
                open_rows[mine] = False
        assert not open_rows.any(), "layer_ids lists only layers that all queries have"
        return out


class ActivationCache:
    """An encoder's cache, opened for reading.

    Args:
        path: the index file, `caches.keys.cache_path(...)`.

    Raises:
        UserError: the file is missing, truncated, damaged or of another format version.

    Example::

        view = ActivationCache(cache_path(Path("caches"), "smollm2_135m")).select(query_ids, prompts)
        view.read(20, "mean")  # (N, hidden) float32
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._index = read_index(self.path)
        self.identity: CacheIdentity = self._index.identity
        self.encoder = self.identity.encoder
        self.num_layers = self.identity.num_layers
        self.hidden_size = self.identity.hidden_size
        self.layer_ids = self._index.layer_ids
        self.poolings = self._index.poolings
        self.num_rows = len(self._index.keys)

    def __reduce__(self) -> tuple[type["ActivationCache"], tuple[Path]]:
        """Pickled as its path: a worker reads the index itself."""
        return ActivationCache, (self.path,)

    def select(self, query_ids: Sequence[str], prompts: Sequence[str] | None = None) -> CacheView:
        """The rows of these queries.

        Args:
            query_ids: N ids, in the order of the rows returned.
            prompts: their texts; with them, changed prompts are detected and pools may share ids.

        Raises:
            UserError: queries are missing, a prompt has changed, or an id is ambiguous; the message names the command.
        """
        table, command = self._index.queries, command_for(self.path)
        by_pair = {pair: row for row, pair in enumerate(zip(table.query_ids, table.prompts, strict=True))}
        by_id: dict[str, list[int]] = {}
        for row, query_id in enumerate(table.query_ids):
            by_id.setdefault(query_id, []).append(row)
        by_prompt = dict(zip(table.prompts, range(len(table)), strict=True))
        row_of_key = {key: row for row, key in enumerate(self._index.keys)}
        chosen: list[int] = []
        missing: list[str] = []
        changed: list[str] = []
        for position, query_id in enumerate(query_ids):
            rows = by_id.get(query_id, [])
            if prompts is not None:
                digest = prompt_digest(prompts[position])
                # The same text under another id (another pool) is the same row.
                row = by_pair.get((query_id, digest), by_prompt.get(digest, -1))
                if row < 0 and rows:
                    changed.append(query_id)
            elif len({table.keys[row] for row in rows}) > 1:
                raise UserError(
                    f"{self.path}: query {query_id}: expected one prompt, found {len(rows)} different ones; "
                    "pass the prompts too"
                )
            else:
                row = rows[0] if rows else -1
            if row < 0 or table.keys[row] not in row_of_key:
                missing.append(query_id)
            chosen.append(row)
        if missing:
            found = f"{len(query_ids) - len(missing)} of {len(query_ids)} queries are cached"
            why = f", {len(changed)} have another prompt than when they were extracted" if changed else ""
            raise UserError(f"{self.path}: {found}{why} (missing: {missing[0]}); complete it with {command}")
        rows_wanted = np.asarray([row_of_key[table.keys[row]] for row in chosen], dtype=np.int64)
        shards = tuple(IndexedShard(s.extents, s.shard_row[rows_wanted]) for s in self._index.shards)
        layer_ids, poolings = self._complete_cells(shards)
        if len(rows_wanted) and not layer_ids:
            raise UserError(
                f"{self.path}: expected a layer cached for all of these queries, found none; complete it with {command}"
            )
        return CacheView(
            folder=shards_folder(self.path),
            encoder=self.encoder,
            num_layers=self.num_layers,
            hidden_size=self.hidden_size,
            layer_ids=layer_ids,
            poolings=poolings,
            query_ids=tuple(query_ids),
            query_tokens=table.query_tokens[chosen],
            truncated=table.truncated[chosen],
            shards=shards,
        )

    def _complete_cells(self, shards: Sequence[IndexedShard]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Layers and poolings that every selected row has."""
        cells = {(layer, pooling) for layer in self.layer_ids for pooling in self.poolings}
        complete = set()
        for layer, pooling in cells:
            has = [
                shard.shard_row >= 0
                for shard in shards
                if layer in shard.extents.layer_ids and pooling in shard.extents.activations
            ]
            if has and np.logical_or.reduce(has).all():
                complete.add((layer, pooling))
        poolings = tuple(p for p in self.poolings if any((k, p) in complete for k in self.layer_ids))
        layers = tuple(k for k in self.layer_ids if poolings and all((k, p) in complete for p in poolings))
        return layers, poolings
