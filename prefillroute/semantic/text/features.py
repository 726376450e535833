"""The paper's "handcrafted text complexity (30-d)" (section 4.2): four families of columns, side by side."""

from collections.abc import Sequence

import numpy as np

from prefillroute.semantic.text import information, lexical, readability, structure

NAMES: tuple[str, ...] = (*readability.NAMES, *lexical.NAMES, *structure.NAMES, *information.NAMES)
"""The 30 columns, in order."""


def text_features(prompts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Compute the unscaled features (N, 30) float32; the families' docstrings give units.

    A row depends on its own prompt only, and is finite for any string.
    """
    rows = [
        (
            *readability.readability(prompt),
            *lexical.lexical(prompt),
            *structure.structure(prompt),
            *information.information(prompt),
        )
        for prompt in map(str, prompts)
    ]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(NAMES))
