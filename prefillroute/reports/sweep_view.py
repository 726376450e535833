"""What the summary of a sweep shows, for the terminal and for the page alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.families import Family
from prefillroute.reports.numbers import count, seconds
from prefillroute.reports.sweep_jobs import Job

FAMILY_COLUMNS = ("family", "configurations", "predictors", "trained fits", "training", "evaluation")


@dataclass(frozen=True)
class SweepView:
    """The jobs of a sweep, ordered and counted."""

    finished: Sequence[Job]
    """Best first."""
    failed: Sequence[Job]
    num_missing: int
    """Jobs that never began."""
    command: str
    """Goes on with the sweep."""
    varied: Sequence[str]
    """Overridden keys that differ between jobs."""
    shown: Sequence[Metric]
    metric: Metric
    """What orders the jobs."""
    note: str
    """What else is to be known of the numbers; empty where nothing is."""
    families: Sequence[Family]
    """Empty where the sweep is not one of predictors; all of them together come last."""

    @property
    def num_unfinished(self) -> int:
        """Jobs that failed or never began."""
        return len(self.failed) + self.num_missing

    @property
    def missing(self) -> str:
        """Says how many jobs never began; empty where all did."""
        if not self.num_missing:
            return ""
        return f"{count(self.num_missing)} job{'s' * (self.num_missing > 1)} never began"

    @property
    def family_rows(self) -> list[tuple[str, ...]]:
        """Printed cells under :data:`FAMILY_COLUMNS`."""
        return [
            (
                family.name,
                count(family.num_jobs),
                count(family.num_predictors),
                count(family.num_fits),
                seconds(family.training_s),
                seconds(family.evaluation_s),
            )
            for family in self.families
        ]
