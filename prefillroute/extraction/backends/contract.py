"""The contract of a backend: from token ids to pooled vectors, in whatever order they are completed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from prefillroute.caches.identity import CacheIdentity
from prefillroute.errors import UserError
from prefillroute.extraction.prompts import EncodedPrompt

# B = queries, H = width of a vector

Pooled = Mapping[str, np.ndarray]
"""pooling -> (B, layers, H) float32."""
Answer = tuple[np.ndarray, Pooled]
"""(B,) row numbers, and the vectors of these rows."""


@dataclass(frozen=True)
class Batch:
    """Queries to read, as far as possible together."""

    rows: np.ndarray
    """(B,) row numbers by which the caller knows the queries again, each given out once."""
    token_ids: Sequence[np.ndarray]
    """B arrays of token ids."""


class Backend(ABC):
    """Reads one model, in this process or in another one.

    The constructor loads the tokenizer at most, so that a command that finds everything cached loads no weights.
    """

    layer_ids: tuple[int, ...]
    """The layers that were requested, ascending."""
    poolings: tuple[str, ...]
    """The poolings that were requested."""
    prompts: Callable[[Sequence[str]], list[EncodedPrompt]]
    """Turns queries into the token ids that are fed."""

    @property
    @abstractmethod
    def identity(self) -> CacheIdentity:
        """What determines the numbers; caches are checked against it."""

    @property
    @abstractmethod
    def versions(self) -> str:
        """Versions of the libraries that compute the numbers; recorded, not compared."""

    @abstractmethod
    def batches(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Arrange queries in the batches that suit this backend.

        Args:
            lengths: (N,) tokens of each query.

        Returns:
            Row numbers, one array per batch; every row is in one of them. Equal lengths give equal batches, so that
            a resumed extraction computes the same numbers.
        """

    @abstractmethod
    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Load the weights or start the process that has them, ready to read these layers. Idempotent.

        `read` does this by itself; called before, the first batch takes no longer than the others.

        Raises:
            UserError: the model cannot be had, or it is not as the facts say.
        """

    @abstractmethod
    def read(
        self, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> Generator[Answer, None, None]:
        """Read queries, and yield them as they are completed.

        Args:
            work: batches, taken one by one as there is room for more. Several may be under way at once.
            layer_ids: layers to read, ascending.
            poolings: poolings of these layers.

        Yields:
            Row numbers and their vectors. An answer may hold a part of a batch or parts of several, in any order;
            closing the generator gives up what is under way.

        Raises:
            UserError: the model fails, for instance for lack of memory; the message says what to do.
        """

    def close(self) -> None:  # noqa: B027 most have nothing to free
        """Free what `load` took, where the end of this object does not. A later `read` loads it again."""


def read_checked(
    backend: Backend, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
) -> Generator[Answer, None, None]:
    """`Backend.read`, with every answer compared with what was asked.

    Yields:
        As `Backend.read`, one (B, layers, H) float32 array per requested pooling.

    Raises:
        UserError: an answer has rows that were not requested or that came before, it lacks a pooling or has vectors of
            another shape, rows stay without an answer, or batches are not taken.
    """
    what = f"backend {backend.identity.backend} of {backend.identity.encoder}"
    hidden = backend.identity.hidden_size
    under_way: set[int] = set()
    asked, all_taken = 0, False

    def given() -> Iterator[Batch]:
        nonlocal asked, all_taken
        for batch in work:
            under_way.update(map(int, batch.rows))
            asked += len(batch.rows)
            yield batch
        all_taken = True

    with closing(backend.read(given(), layer_ids, poolings)) as answers:
        for rows, pooled in answers:
            index = np.asarray(rows, dtype=np.int64)
            for row in index.tolist():
                if row not in under_way:
                    raise UserError(
                        f"{what}: expected each requested row once, found row {row} again or unrequested"
                    )
                under_way.remove(row)
            if missing := [name for name in poolings if name not in pooled]:
                raise UserError(f"{what}: expected the poolings {list(poolings)}, found no {missing[0]}")
            wanted = (len(index), len(layer_ids), hidden)
            values = {name: np.asarray(pooled[name], dtype=np.float32) for name in poolings}
            for name, found in values.items():
                if found.shape != wanted:
                    raise UserError(
                        f"{what}: expected vectors of shape {wanted} (rows, layers, width) with pooling {name}, found "
                        f"{found.shape}"
                    )
            yield index, values
    if under_way:
        raise UserError(
            f"{what}: expected vectors of all {asked} requested rows, found none of {len(under_way)} of them, such as "
            f"row {min(under_way)}"
        )
    if not all_taken:
        raise UserError(
            f"{what}: expected vectors of all rows, found an end after {asked} rows, before the last batch"
        )


def read_together(
    backend: Backend,
    token_ids: Sequence[np.ndarray],
    layer_ids: Sequence[int] | None = None,
    poolings: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """Read queries as one batch.

    Args:
        backend: what reads them.
        token_ids: B arrays of token ids.
        layer_ids: layers to read, ascending; None: those that were requested of the backend.
        poolings: poolings of these layers; None: those that were requested.

    Returns:
        pooling -> (B, layers, H) float32, rows in the order of `token_ids`.

    Raises:
        UserError: as `read_checked`.
    """
    layer_ids = backend.layer_ids if layer_ids is None else layer_ids
    poolings = backend.poolings if poolings is None else poolings
    shape = (len(token_ids), len(layer_ids), backend.identity.hidden_size)
    out = {name: np.empty(shape, dtype=np.float32) for name in poolings}
    work = [Batch(np.arange(len(token_ids)), token_ids)]
    for rows, pooled in read_checked(backend, work, layer_ids, poolings):
        for name in poolings:
            out[name][rows] = pooled[name]
    return out
