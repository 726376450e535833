"""The available poolings, and the ones that a run may use."""

from collections.abc import Sequence
from functools import cache

from prefillroute import pooling
from prefillroute.errors import UserError
from prefillroute.pooling.contract import Pooling
from prefillroute.variants import classes_of


@cache
def known_poolings() -> dict[str, type[Pooling]]:
    """Every pooling of the package by the name under which a cache stores it: that of its module.

    Example:
        >>> known_poolings()["mean"].__name__
        'MeanPooling'
    """
    return classes_of(pooling, Pooling)


def pooling_names(names: Sequence[str] = ("last", "mean")) -> tuple[str, ...]:
    """The poolings that the layer choice may pick from: what `conf/pooling` builds.

    Raises:
        UserError: a name is unknown or duplicated, or there is none.

    Example:
        >>> pooling_names(["mean"])
        ('mean',)
    """
    known = known_poolings()
    if not names or set(names) - set(known) or len(set(names)) < len(names):
        raise UserError(f"pooling.names: expected some of {', '.join(known)}, each once, found {list(names)}")
    return tuple(names)
