"""Which jobs of a sweep are to run when it is started again: by default all that have not finished."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from prefillroute.jobs.status import Status

Selection = Literal["unfinished", "failed", "missing"]

_SELECTED: ContextVar[Selection] = ContextVar("selected", default="unfinished")


@contextmanager
def selected(which: Selection) -> Iterator[None]:
    """Sweeps that are started inside run only these of their jobs.

    Args:
        which: `failed`: those that ended with an error; `missing`: those that left neither results nor an error, as
            they never began, were killed or cancelled; `unfinished`: both.
    """
    token = _SELECTED.set(which)
    try:
        yield
    finally:
        _SELECTED.reset(token)


def is_selected(status: Status | None) -> bool:
    """Whether an unfinished job is to run now; a job that has no folder has no status."""
    which = _SELECTED.get()
    failed = status is not None and status.state == "failed"
    return which == "unfinished" or (which == "failed") == failed
