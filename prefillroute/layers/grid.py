"""Resolves which layers and poolings a chooser tries."""

from collections.abc import Iterator, Sequence

from prefillroute.errors import UserError
from prefillroute.layers.source import ActivationSource

LayerRange = str | Sequence[int]
"""`upper` (L/2..L), `all` (0..L), or a list of layers."""


def resolve_layers(layers: LayerRange, source: ActivationSource) -> tuple[int, ...]:
    """The layer ids that `layers` means for this source; layers given by number must be in the cache."""
    available = source.layer_ids
    if layers == "all":
        return available
    if layers == "upper":
        chosen = tuple(layer for layer in available if layer >= source.num_layers // 2)
        if not chosen:
            raise UserError(
                f"layers.layers: expected upper layers in the cache of {source.encoder}, found only layers "
                f"{list(available)} of 0..{source.num_layers}"
            )
        return chosen
    if isinstance(layers, str):
        raise UserError(f"layers.layers: expected upper, all or a list of layers, found {layers!r}")
    missing = sorted(set(layers) - set(available))
    if missing or not layers:
        raise UserError(
            f"layers.layers: expected layers in the cache of {source.encoder}, {list(available)}, "
            f"found {missing or 'an empty list'}"
        )
    return tuple(sorted(set(layers)))


def resolve_poolings(poolings: Sequence[str], source: ActivationSource) -> tuple[str, ...]:
    """`poolings`, all of which must be in the cache."""
    missing = [pooling for pooling in poolings if pooling not in source.poolings]
    if missing or not poolings:
        raise UserError(
            f"layers.poolings: expected poolings in the cache of {source.encoder}, {list(source.poolings)}, "
            f"found {missing or 'none'}"
        )
    return tuple(dict.fromkeys(poolings))


def cells(
    layers: LayerRange, poolings: Sequence[str], source: ActivationSource
) -> Iterator[tuple[int, int, int, str]]:
    """Yield (number, total, layer, pooling) over the grid, poolings within layers."""
    chosen_layers, chosen_poolings = resolve_layers(layers, source), resolve_poolings(poolings, source)
    total = len(chosen_layers) * len(chosen_poolings)
    for i, layer in enumerate(chosen_layers):
        for j, pooling in enumerate(chosen_poolings):
            yield i * len(chosen_poolings) + j, total, layer, pooling
