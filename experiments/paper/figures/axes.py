"""What the axes of a metric have in common."""

from matplotlib.axes import Axes
from matplotlib.axis import Axis

from experiments.paper.wording import heading
from prefillroute.reports.catalogue import Metric
from prefillroute.reports.numbers import decimal
from prefillroute.routing.statistics.hull_gain import HULL_GAIN


def no_skill(metric: Metric) -> float:
    """What a predictor without skill has in hull gain, AUC and relative AUC."""
    return 0.0 if metric.key == HULL_GAIN.key else 0.5


def label_axis(axes: Axes, axis: Axis, metric: Metric) -> None:
    """Write the metric over its panel; shares are in percentage points, and all others as they are."""
    unit = ""
    if metric.form(0.5).endswith("pp"):
        unit = " (pp)"
        axis.set_major_formatter(lambda value, _: decimal(100 * value, 1).removesuffix(".0"))
    axes.set_title(f"{heading(metric)}{unit}", fontsize=10.5)
