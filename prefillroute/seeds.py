"""Seeds for everything random in a head and its training, derived from one run seed.

Nothing draws from a global generator. A stream depends only on its own labels, never on what other groups or
nets did before, which is what keeps a fold's parameters independent of the rows that it must not see.
"""

import hashlib

import torch


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed for the stream named by `parts`, say ``derive_seed(seed, "dropout", group, epoch)``."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def seeded_generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator at the start of the stream named by `parts`."""
    return torch.Generator(device=device).manual_seed(derive_seed(*parts))
