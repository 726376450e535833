"""Captures the residual stream during the forward pass and pools it there; nothing is kept per token."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from prefillroute.errors import UserError


def find_blocks(model: nn.Module, num_layers: int) -> nn.ModuleList:
    """The list of blocks of a base model: the `ModuleList` of that length under one of the usual names.

    Raises:
        UserError: there is no such list; the message names the model's class.
    """
    for name in ("layers", "h", "blocks", "block"):
        blocks = getattr(model, name, None)
        if isinstance(blocks, nn.ModuleList) and len(blocks) == num_layers:
            return blocks
    raise UserError(
        f"encoder.num_layers={num_layers}: expected a list of that many blocks, found none in {type(model).__name__}"
    )


class ResidualCapture:
    """Forward hooks that pool the selected layers on the device and keep only (B, layers, H).

    Layer 0 is the input of the first block (so scaled embeddings appear as the block sees them), and layer k is the
    output of block k; layer L is therefore taken before the final norm.

    Args:
        blocks: the L blocks, in order.
        layer_ids: the selected layers, ascending, 0..L.
        poolings: name -> pooling of (B, T, H) by (B, T).
    """

    def __init__(
        self,
        blocks: nn.ModuleList,
        layer_ids: Sequence[int],
        poolings: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
    ) -> None:
        self._poolings = dict(poolings)
        self._mask: Tensor | None = None
        self._prefix: Mapping[int, Tensor] | None = None
        self._pooled: dict[str, dict[int, Tensor]] = {}
        self._layer_ids = tuple(layer_ids)
        self._handles = [
            blocks[0].register_forward_pre_hook(self._before_first, with_kwargs=True)
            if layer == 0
            else blocks[layer - 1].register_forward_hook(self._after(layer))
            for layer in layer_ids
        ]

    def start(self, mask: Tensor, prefix: Mapping[int, Tensor] | None = None) -> None:
        """Prepare for a forward pass.

        Args:
            mask: (B, P + T) bool, true at real tokens.
            prefix: layer id -> (1, P, H), the output for the first P tokens of all rows, if the pass covers only the
                other T tokens.
        """
        self._mask, self._prefix = mask, prefix
        self._pooled = {name: {} for name in self._poolings}

    def finish(self) -> dict[str, Tensor]:
        """What was captured since `start`: pooling -> (B, layers, H) float32, on one device."""
        out = {}
        for name, layers in self._pooled.items():
            assert set(layers) == set(self._layer_ids), "every selected block has run once"
            device = layers[self._layer_ids[0]].device
            out[name] = torch.stack([layers[k].to(device) for k in self._layer_ids], dim=1)
        self._mask, self._prefix, self._pooled = None, None, {}
        return out

    def remove(self) -> None:
        """Remove the hooks from the model."""
        for handle in self._handles:
            handle.remove()

    def _keep(self, layer: int, hidden: Tensor) -> None:
        if self._mask is None:
            return
        if self._prefix is not None:
            before = self._prefix[layer].to(hidden.device)
            hidden = torch.cat([before.expand(len(hidden), -1, -1), hidden], dim=1)
        mask = self._mask.to(hidden.device)
        for name, pooling in self._poolings.items():
            self._pooled[name][layer] = pooling(hidden, mask)

    def _before_first(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._keep(0, args[0] if args else kwargs["hidden_states"])

    def _after(self, layer: int) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            self._keep(layer, output[0] if isinstance(output, tuple) else output)

        return hook
