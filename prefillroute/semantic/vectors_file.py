"""Vectors that an embedder made in another environment, written into a cache like any others (DESIGN section 8)."""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prefillroute.caches.identity import CacheIdentity
from prefillroute.caches.keys import prompt_digest
from prefillroute.config.facts import EmbedderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Answer, Backend, Batch
from prefillroute.extraction.batches import plan_batches
from prefillroute.extraction.prompts import EncodedPrompt
from prefillroute.semantic.embedder import ELSEWHERE, POOLING, embedding_identity

BYTES_PER_BATCH = 1024


class VectorsFile(Backend):
    """A backend that looks vectors up instead of computing them.

    A query's row is keyed by the bytes of its text, because its tokens are known only where it was embedded.

    Args:
        facts: facts of the embedder that made the vectors.
        path: parquet file with the columns `prompt_sha256` (hex, of the UTF-8 text) and `embedding` (list of
            `facts.dimension` floats); its metadata key `weights` says which weights made them.

    Raises:
        UserError: the file cannot be read, lacks a column, or has vectors of another length.
    """

    layer_ids, poolings = (0,), (POOLING,)

    def __init__(self, facts: EmbedderConfig, path: Path) -> None:
        self.facts, self.path = facts, path
        self.prompts = self._bytes
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"vectors={path}: cannot be read ({str(error).splitlines()[0]})") from error
        for column in ("prompt_sha256", "embedding"):
            if column not in table.column_names:
                raise UserError(
                    f"vectors={path}: expected a column {column}, found {', '.join(table.column_names)}"
                )
        lengths = {len(value) for value in table["embedding"].to_pylist()}
        if lengths - {facts.dimension}:
            raise UserError(
                f"vectors={path}: expected vectors of {facts.dimension} numbers, as embedder {facts.name} has them, "
                f"found {min(lengths - {facts.dimension})}"
            )
        self._vectors = np.asarray(table["embedding"].to_pylist(), dtype=np.float32)
        self._row = {digest: row for row, digest in enumerate(table["prompt_sha256"].to_pylist())}
        said = (table.schema.metadata or {}).get(b"weights")
        self._weights = said.decode() if said else f"file:sha256={_file_digest(path)}"

    @property
    def identity(self) -> CacheIdentity:
        """The identity of the embedder's own cache, with the weights that the file names."""
        return embedding_identity(self.facts, self._weights, ELSEWHERE, self.facts.max_length)

    @property
    def versions(self) -> str:
        """The source of the vectors."""
        return f"vectors of {self.path.name}"

    def _bytes(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """The bytes of each text, in place of token ids.

        Raises:
            UserError: a query has no vector in the file.
        """
        for prompt in prompts:
            if prompt_digest(prompt) not in self._row:
                raise UserError(
                    f"vectors={self.path}: expected a vector for the query {prompt[:40]!r}, found none"
                )
        return [
            EncodedPrompt(
                np.frombuffer(prompt.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int32), 0, False
            )
            for prompt in prompts
        ]

    def batches(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Small batches; they affect nothing but the order of rows."""
        return plan_batches(lengths, BYTES_PER_BATCH)

    def load(self, layer_ids: Sequence[int], poolings: Sequence[str]) -> None:
        """Load nothing, because all vectors are in memory already."""
        assert tuple(layer_ids) == (0,), layer_ids

    def read(
        self, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> Generator[Answer, None, None]:
        """Return the rows and {`POOLING`: (B, 1, dimension) float32}; see `Backend.read`."""
        for batch in work:
            digests = [hashlib.sha256(ids.astype(np.uint8).tobytes()).hexdigest() for ids in batch.token_ids]
            yield batch.rows, {POOLING: self._vectors[[self._row[digest] for digest in digests]][:, None, :]}


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
