"""Sends one query through scaler, PCA and a stacked perceptron in numpy: a handful of matrix-vector products.

In torch a batch of one is all overhead: its batched products start threads for 30 microseconds of work (measured:
0.5 ms against 0.1 ms for SmolLM2's sizes). The arithmetic is that of `BlockTransform.transform` and
`heads.ensemble.ensemble_logits`; a test checks that they agree.
"""

from collections.abc import Sequence

import numpy as np

from prefillroute.calibration.contract import sigmoid
from prefillroute.heads.contract import Head
from prefillroute.heads.stacked import StackedLinear, StackedMLP
from prefillroute.layers.features import BlockTransform

# S = nets side by side, E = members, M = targets, H = width of a block, D = features

CLIP = 1e-6
"""Bound on the members' mean probability, as in `ensemble_logits`."""


class SingleQuery:
    """The forward pass of one query, for heads that are stacks of perceptrons.

    Args:
        transform: scaler and PCA.
        stack: the nets of the only group.
        num_members: E.
    """

    def __init__(self, transform: BlockTransform, stack: StackedMLP, num_members: int) -> None:
        self._means = [mean.numpy() for mean in transform.means]
        # Contiguous rows matter more to a matrix-vector product than to a matrix product.
        self._maps = [np.ascontiguousarray(weight.numpy().T) for weight in transform.weights]  # (dim, H)
        layers = [layer for layer in stack.layers if isinstance(layer, StackedLinear)]
        assert len(layers) == len(stack.layers), "a StackedMLP is made of StackedLinear"
        self._weights = [layer.weight.detach().numpy() for layer in layers]  # (S, out, in)
        self._biases = [layer.bias.detach().numpy() for layer in layers]  # (S, out, 1)
        self._num_members = num_members

    @classmethod
    def of(cls, transform: BlockTransform, head: Head) -> "SingleQuery | None":
        """Build one for `head`; None if its nets are of another kind, which is left to torch."""
        stack = head.stack(0)
        if not isinstance(stack, StackedMLP) or next(stack.parameters()).device.type != "cpu":
            return None
        return cls(transform, stack, head.num_members)

    def logits(self, activations: Sequence[np.ndarray]) -> np.ndarray:
        """Logits z (1, M) float64 from one (1, H) float32 array per block."""
        features = np.concatenate(
            [
                matrix @ (given[0] - mean)
                for matrix, given, mean in zip(self._maps, activations, self._means, strict=True)
            ]
        )  # (D,)
        first = self._weights[0]
        nets, width, _ = first.shape
        hidden = (first.reshape(nets * width, -1) @ features).reshape(nets, width, 1) + self._biases[0]
        for weight, bias in zip(self._weights[1:], self._biases[1:], strict=True):
            hidden = weight @ np.maximum(hidden, 0) + bias  # (S, out, 1)
        # A joint head has S = E nets of M outputs, an independent one S = E * M nets of one: both are (E, M) in memory.
        members = sigmoid(hidden.reshape(self._num_members, -1).astype(np.float64))
        mean = members.mean(axis=0).clip(CLIP, 1 - CLIP)
        return (np.log(mean) - np.log1p(-mean))[None]
