"""Maps queries to rows: the table from query id and prompt to the key of the tokens that were fed."""

from dataclasses import dataclass

import h5py
import numpy as np

from prefillroute.caches.keys import to_bytes, to_hex


@dataclass(frozen=True)
class QueryTable:
    """One row per (query id, prompt); all columns have the same length.

    Two pools may use one id for different prompts. Both are kept, and a reader who passes the prompts finds the right
    one.
    """

    query_ids: tuple[str, ...]
    prompts: tuple[str, ...]
    """SHA-256 (hex) of the prompt's text."""
    keys: tuple[str, ...]
    """SHA-256 (hex) of the token ids fed."""
    query_tokens: np.ndarray
    """(N,) int64: tokens of the bare query, before truncation."""
    fed_tokens: np.ndarray
    """(N,) int64: tokens fed, template included."""
    truncated: np.ndarray
    """(N,) bool: the query's middle was cut."""

    def __len__(self) -> int:
        return len(self.query_ids)

    @classmethod
    def empty(cls) -> "QueryTable":
        """No queries."""
        none = np.zeros(0, dtype=np.int64)
        return cls((), (), (), none, none, np.zeros(0, dtype=bool))

    def take(self, rows: list[int]) -> "QueryTable":
        """The given rows, in the given order."""
        return QueryTable(
            query_ids=tuple(self.query_ids[row] for row in rows),
            prompts=tuple(self.prompts[row] for row in rows),
            keys=tuple(self.keys[row] for row in rows),
            query_tokens=self.query_tokens[rows],
            fed_tokens=self.fed_tokens[rows],
            truncated=self.truncated[rows],
        )

    def merge(self, newer: "QueryTable") -> "QueryTable":
        """The union of both tables; a (query id, prompt) in both is kept once, as in the newer table."""
        fresh = set(zip(newer.query_ids, newer.prompts, strict=True))
        pairs = zip(self.query_ids, self.prompts, strict=True)
        old = self.take([row for row, pair in enumerate(pairs) if pair not in fresh])
        first: dict[tuple[str, str], int] = {}
        for row, pair in enumerate(zip(newer.query_ids, newer.prompts, strict=True)):
            first.setdefault(pair, row)
        new = newer.take(list(first.values()))
        return QueryTable(
            query_ids=old.query_ids + new.query_ids,
            prompts=old.prompts + new.prompts,
            keys=old.keys + new.keys,
            query_tokens=np.concatenate([old.query_tokens, new.query_tokens]),
            fed_tokens=np.concatenate([old.fed_tokens, new.fed_tokens]),
            truncated=np.concatenate([old.truncated, new.truncated]),
        )

    def shared_through_truncation(self) -> int:
        """Number of different prompts that share a key because truncation removed their difference."""
        prompts_of: dict[str, set[str]] = {}
        for key, prompt, cut in zip(self.keys, self.prompts, self.truncated, strict=True):
            if cut:
                prompts_of.setdefault(key, set()).add(prompt)
        return sum(len(prompts) for prompts in prompts_of.values() if len(prompts) > 1)

    def write(self, group: h5py.Group) -> None:
        """Write the columns as datasets of an HDF5 group."""
        group.create_dataset("query_id", data=list(self.query_ids), dtype=h5py.string_dtype())
        group.create_dataset("prompt_sha256", data=to_bytes(self.prompts))
        group.create_dataset("key", data=to_bytes(self.keys))
        group.create_dataset("query_tokens", data=self.query_tokens.astype("<i8"))
        group.create_dataset("fed_tokens", data=self.fed_tokens.astype("<i8"))
        group.create_dataset("truncated", data=self.truncated.astype("u1"))

    @classmethod
    def read(cls, group: h5py.Group) -> "QueryTable":
        """Inverse of `write`."""
        return cls(
            tuple(group["query_id"].asstr()[:]),
            tuple(to_hex(group["prompt_sha256"][:])),
            tuple(to_hex(group["key"][:])),
            group["query_tokens"][:].astype(np.int64),
            group["fed_tokens"][:].astype(np.int64),
            group["truncated"][:].astype(bool),
        )
