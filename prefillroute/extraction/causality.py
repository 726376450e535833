"""Refuses models whose activations of a query depend on the other queries of its batch.

Batches are padded on the right and run without an attention mask, so only causal models give a query the same
activations alone and in a batch. A model whose configuration says that it is not causal is refused on loading. In any
case, `extract` compares a query alone with the same query in a batch before it writes anything.
"""

from collections.abc import Callable, Sequence

import numpy as np
from transformers import PreTrainedModel

from prefillroute.errors import UserError
from prefillroute.extraction.backends.contract import Pooled

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}
"""Largest allowed difference between a vector alone and in a batch, relative to its Euclidean norm. Rounding in causal
models stays far below it: SmolLM2-135M reaches 1e-6 in float32 and 0.026 in bfloat16."""
VOTES = 3
"""Number of queries to compare if the first one differs. In a mixture of experts rounding may send a token to another
expert, which changes one query in a hundred, whereas a model that sees the padding changes them all."""


def require_causal(model: PreTrainedModel, what: str) -> None:
    """Refuse a model whose configuration or attention says that tokens see what comes after them.

    Args:
        model: a model with its configuration, such as the base model of the text part.
        what: name of the model in the message, for instance `encoder modernbert`.

    Raises:
        UserError: the model is not causal; the message names the setting that says so.
    """
    said = getattr(model.config, "use_bidirectional_attention", None)
    reason = None
    # Gemma 4's "vision" lets only the tokens of an image see each other, and no image is ever fed.
    if said and said != "vision":
        reason = f"config.use_bidirectional_attention={said}"
    else:
        for name, module in model.named_modules():
            if getattr(module, "is_causal", None) is False:
                reason = f"{name}.is_causal=False"
                break
    if reason is not None:
        raise UserError(
            f"{what}: expected a causal (decoder-only) model, found {type(model).__name__}, which is not causal "
            f"({reason}), so a query's activations would change with the other queries in its batch"
        )


def check_alone_and_together(
    run: Callable[[Sequence[np.ndarray]], Pooled],
    batch: Sequence[np.ndarray],
    together: Pooled,
    names: Sequence[str],
    layer_ids: Sequence[int],
    dtype: str,
    what: str,
) -> None:
    """Run the shortest query of a batch alone and compare the result with that in the batch.

    If they differ, the next two shortest queries are compared too, and the median decides.

    Args:
        run: token ids of B queries to their activations.
        batch: B arrays of token ids.
        together: the result of `run` for the batch.
        names: B query ids.
        layer_ids: axis 1 of the activations.
        dtype: dtype of the forward pass; determines the tolerance.
        what: name of the model in the message.

    Raises:
        UserError: the results differ by more than the dtype's rounding; the message names the query, layer, pooling,
            both values, the difference and the tolerance.
    """
    if len(batch) < 2:
        return
    tolerance = TOLERANCE.get(dtype, TOLERANCE["float32"])
    found: list[tuple[float, str]] = []
    for row in np.argsort([len(ids) for ids in batch], kind="stable")[:VOTES]:
        alone = run([batch[row]])
        if not all(np.isfinite(values).all() for values in alone.values()):
            return  # the writer refuses such values and says why
        found.append(_difference(alone, together, int(row), names[row], layer_ids))
        if len(found) == 1 and found[0][0] <= tolerance:
            return
    error, where = sorted(found)[len(found) // 2]
    if not error <= tolerance:
        raise UserError(
            f"{what}: expected a causal model whose rows do not affect each other, found activations that change with "
            f"the other queries in the batch: {where} (relative difference of the vectors {error:.2g}, expected at "
            f"most {tolerance:g})"
        )


def short_company(lengths: Sequence[int]) -> list[int]:
    """Rows for a cheap batch with much padding: the three shortest, and one about twice as long as the first.

    Args:
        lengths: tokens of each row.

    Returns:
        Row numbers; none if all rows are equally long, because then nothing is ever padded.
    """
    order = np.argsort(lengths, kind="stable")
    longer = [int(row) for row in order if lengths[row] > lengths[order[0]]]
    if not longer:
        return []
    company = next((row for row in longer if lengths[row] >= 2 * lengths[order[0]]), longer[-1])
    return [*(int(row) for row in order[:VOTES] if row != company), company]


def _difference(
    alone: Pooled, together: Pooled, row: int, name: str, layer_ids: Sequence[int]
) -> tuple[float, str]:
    """The largest relative difference over layers and poolings, and its place."""
    worst, where = -1.0, ""
    for pooling, values in alone.items():
        own = values[0].astype(np.float64)  # (layers, hidden)
        other = together[pooling][row].astype(np.float64)
        norm = np.linalg.norm(own, axis=1)
        relative = np.linalg.norm(own - other, axis=1) / np.where(norm > 0, norm, 1.0)
        relative = np.where(np.isnan(relative), np.inf, relative)
        position = int(relative.argmax())
        if relative[position] > worst:
            element = int(np.nan_to_num(np.abs(own - other)[position], nan=np.inf).argmax())
            worst = float(relative[position])
            where = (
                f"query {name}, layer {layer_ids[position]}, pooling {pooling}: element {element} is "
                f"{own[position, element]:.4g} alone and {other[position, element]:.4g} in a batch"
            )
    return worst, where
