"""What the axes of a metric have in common."""

from matplotlib.axis import Axis

from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import decimal
from prefillroute.routing.statistics.hull_gain import HULL_GAIN


def no_skill(metric: Metric) -> float:
    """What a predictor without skill has in hull gain, AUC and relative AUC."""
    return 0.0 if metric.key == HULL_GAIN.key else 0.5


def tick_as(axis: Axis, metric: Metric) -> None:
    """Label the ticks of shares in percentage points, and all others as they are."""
    if metric.form(0.5).endswith("pp"):
        axis.set_major_formatter(lambda value, _: f"{decimal(100 * value, 1).removesuffix('.0')} pp")
