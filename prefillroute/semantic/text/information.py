"""Information-theoretic measures of a text's characters and bytes."""

import zlib

import numpy as np

NAMES = ("character_entropy", "zlib_ratio", "non_ascii_share")

ZLIB_LEVEL = 6


def information(text: str) -> tuple[float, ...]:
    """Compute the columns of NAMES; all are 0 for an empty text.

    They are the entropy of the distribution of characters, in bits per character; the UTF-8 bytes after zlib over those
    before (above 1 for short texts, where the header dominates); and the share of characters outside ASCII.
    """
    if not text:
        return (0.0,) * len(NAMES)
    # A lone surrogate has no UTF-8 form; pass it through instead of refusing it.
    raw = text.encode("utf-8", "surrogatepass")
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    share = np.unique(codes, return_counts=True)[1] / len(codes)
    return (
        float(-(share * np.log2(share)).sum()) + 0.0,  # + 0.0: no negative zero
        len(zlib.compress(raw, ZLIB_LEVEL)) / len(raw),
        float((codes > 127).mean()),
    )
