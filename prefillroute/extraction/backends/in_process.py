"""The part that backends share which run one batch after the other in this process."""

from abc import abstractmethod
from collections.abc import Generator, Iterable, Sequence

import numpy as np
import torch
import transformers

from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Answer, Backend, Batch, Pooled
from prefillroute.extraction.batches import plan_batches

TOKENS_PER_BATCH = {"cpu": 1024, "cuda": 32768}
"""Padded tokens. Measured: on a CPU, small batches stay in its caches."""


class InProcessBackend(Backend):
    """Chooses device and batches, and runs `forward` batch by batch.

    Args:
        what: name of the model in messages, for instance `encoder smollm2_135m`.
        device: `auto` takes a GPU when there is one; `cpu`, `cuda`, `cuda:1`; `balanced` spreads over all GPUs.
        tokens_per_batch: padded tokens in a batch; None: 1,024 on a CPU, 32,768 on a GPU.
        node: node of the configuration that has the two, for messages.

    Raises:
        UserError: no such device, or `tokens_per_batch` is below 1.
    """

    def __init__(self, what: str, device: str, tokens_per_batch: int | None, node: str = "") -> None:
        self.what = what
        self._node = f"{node}." if node else ""
        self.device = self._usable(device)
        """`cpu`, `cuda...` or `balanced`."""
        if tokens_per_batch is not None and tokens_per_batch < 1:
            raise UserError(f"{self._node}tokens_per_batch: expected 1 or more, found {tokens_per_batch}")
        self.tokens_per_batch = (
            tokens_per_batch or TOKENS_PER_BATCH["cpu" if self.device == "cpu" else "cuda"]
        )
        """Padded tokens in a batch."""

    @property
    def versions(self) -> str:
        """Versions of the libraries that compute the numbers; recorded, not compared."""
        return f"torch {torch.__version__}, transformers {transformers.__version__}"

    def batches(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Queries of similar length together, within the budget of padded tokens."""
        return plan_batches(lengths, self.tokens_per_batch)

    def read(
        self, work: Iterable[Batch], layer_ids: Sequence[int], poolings: Sequence[str]
    ) -> Generator[Answer, None, None]:
        """Read batch by batch, in the order given; see `Backend.read`."""
        for batch in work:
            self.load(layer_ids, poolings)  # each time: another `read` may have come in between
            try:
                pooled = self.forward(batch.token_ids)
            except torch.OutOfMemoryError as error:
                padded = len(batch.token_ids) * max(map(len, batch.token_ids))
                raise UserError(
                    f"{self.what}: not enough memory on {self.device} for a batch of {padded} tokens; set "
                    f"{self._node}tokens_per_batch below {self.tokens_per_batch}"
                ) from error
            yield batch.rows, pooled

    @abstractmethod
    def forward(self, token_ids: Sequence[np.ndarray]) -> Pooled:
        """Run one batch through the layers and poolings of the last `load`.

        Args:
            token_ids: B arrays of token ids.

        Returns:
            pooling -> (B, layers, H) float32.
        """

    def _usable(self, device: str) -> str:
        if not device.startswith(("auto", "cpu", "cuda", "balanced")):
            raise UserError(
                f"{self._node}device: expected auto, cpu, cuda, cuda:<n> or balanced, found {device}"
            )
        if device.startswith(("cuda", "balanced")) and not torch.cuda.is_available():
            raise UserError(
                f"{self._node}device: expected auto or cpu on a machine without a usable GPU, found {device}"
            )
        if device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return device


def pad_right(batch: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (B, T) int64 and mask (B, T) bool; padding repeats token 0, which no real token sees."""
    length = max(len(ids) for ids in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask = torch.zeros(len(batch), length, dtype=torch.bool)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = torch.from_numpy(np.asarray(tokens, dtype=np.int64))
        mask[row, : len(tokens)] = True
    return ids, mask
