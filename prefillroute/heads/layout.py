"""What the columns of a signal's features are: the one thing that a head is told about the signal before it."""

from dataclasses import dataclass

from prefillroute.spec import Stored

NUMBERS, LABELS, NODES, TOKEN_IDS = "numbers", "one-hot labels", "graph nodes", "token ids"


@dataclass(frozen=True)
class Layout(Stored):
    """D columns: first those that are common to all targets, then for each target those of its own, side by side.

    Example:
        >>> Layout(width=10, own=("ratio_k25", "mean_distance")).common(num_targets=4)
        2
    """

    width: int
    """D."""
    own: tuple[str, ...] = ()
    """Names of the columns that each target has for itself: the last M * len(own) columns."""
    content: str = NUMBERS
    """`NUMBERS`, `LABELS`, `NODES` or `TOKEN_IDS`."""
    num_nodes: int = 1
    """Number of equally wide parts side by side: the query and its neighbours if the content is `NODES`, else 1."""
    extras: tuple[str, ...] = ()
    """What the signal knows of each training query beside its features, such as a judge's `difficulty`."""

    def common(self, num_targets: int) -> int:
        """Number of columns that are common to `num_targets` targets."""
        return self.width - num_targets * len(self.own)
