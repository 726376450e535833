"""Converts a head to plain values and tensors and back, for router bundles."""

import importlib
from typing import Any

from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.contract import Head

ROOM = "prefillroute.heads."


def head_spec(head: Head) -> dict[str, Any]:
    """Plain JSON values from which `restore_head` rebuilds `head`, except for its weights."""
    return {
        "class": f"{type(head).__module__}.{type(head).__qualname__}",
        "in_features": head.in_features,
        "num_targets": head.num_targets,
        "num_groups": head.num_groups,
        "num_members": head.num_members,
        "seed": head.seed,
        "hyper": head.hyper(),
    }


def restore_head(spec: dict[str, Any], tensors: dict[str, Tensor]) -> Head:
    """The head that `head_spec` described, with the weights of its ``state_dict``, in evaluation mode.

    Raises:
        UserError: the class is outside prefillroute.heads (a bundle must not choose what code runs), or weights have
            other names or shapes.
    """
    path = str(spec.get("class"))
    module, _, name = path.rpartition(".")
    try:
        if not path.startswith(ROOM):
            raise ImportError
        kind = getattr(importlib.import_module(module), name)
        if not (isinstance(kind, type) and issubclass(kind, Head)):
            raise ImportError
    except (ImportError, AttributeError):
        raise UserError(f"head class: expected a Head of {ROOM[:-1]}, found {path!r}") from None
    sizes = {key: spec[key] for key in ("in_features", "num_targets", "num_groups", "num_members", "seed")}
    head = kind(**sizes, **spec["hyper"])
    try:
        head.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"head weights do not fit {path}: {' '.join(str(error).split())}") from None
    return head.eval()
