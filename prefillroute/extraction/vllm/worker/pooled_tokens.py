"""Pools the hidden states of a prompt where they are, with the poolings of a package that is not installed here."""

import importlib
import sys
import types
from typing import Any

import torch

# T = tokens of a prompt, L = layers that are read, H = width of the model


def load_poolings(packages: dict[str, list[str]], poolings: dict[str, list[str]]) -> dict[str, Any]:
    """Make poolings of a package that is not installed here.

    Args:
        packages: name -> folders of the packages that the poolings' modules are in, outer ones first. Only these
            become visible, not what lies beside them: that is another environment.
        poolings: name -> module and class.
    """
    for name, folders in packages.items():
        package = types.ModuleType(name)
        package.__path__ = folders
        sys.modules.setdefault(name, package)
    return {
        name: getattr(importlib.import_module(module), kind)() for name, (module, kind) in poolings.items()
    }


def pool(hidden: torch.Tensor, poolings: dict[str, Any]) -> tuple[torch.Tensor, list[int], list[int]]:
    """Pool layer by layer, which needs memory for one layer only.

    Args:
        hidden: (T, L, H).
        poolings: name -> pooling of (1, T, H) by (1, T).

    Returns:
        (poolings, L, H) float32; and per layer, the number of tokens that are zero throughout, and of those that have
        a NaN or an infinity.
    """
    mask = torch.ones(1, hidden.shape[0], dtype=torch.bool, device=hidden.device)
    vectors, zero, bad = [], [], []
    for layer in range(hidden.shape[1]):
        tokens = hidden[:, layer]  # (T, H)
        vectors.append(torch.cat([pooling(tokens[None], mask) for pooling in poolings.values()]))
        zero.append((tokens == 0).all(dim=1).sum())
        bad.append((~torch.isfinite(tokens)).any(dim=1).sum())
    counts = torch.stack([torch.stack(zero), torch.stack(bad)]).tolist()
    return torch.stack(vectors, dim=1).float().cpu(), counts[0], counts[1]
