"""What each metric of metrics.json is called, how it is printed, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass

from prefillroute.reports import numbers

Formatter = Callable[[float | None], str]


@dataclass(frozen=True)
class Metric:
    """One metric as the report shows it."""

    key: str
    label: str
    form: Formatter
    better: str = ""
    """``higher``, ``lower``, or empty where neither is."""
    meaning: str = ""

    @property
    def direction(self) -> str:
        """An arrow with its word, for the label."""
        return {"higher": "↑ better", "lower": "↓ better"}.get(self.better, "")


def _signed(value: float | None) -> str:
    text = numbers.decimal(value)
    return (
        text
        if value is None or text.startswith((numbers.MINUS, numbers.MISSING)) or float(text) == 0
        else f"+{text}"
    )


def _points(value: float | None) -> str:
    text = numbers.points(value)
    return text if text == numbers.MISSING else f"{text} pp"


def _times(value: float | None) -> str:
    text = numbers.decimal(value, 2)
    return text if text == numbers.MISSING else f"{text} ×"


METRICS: tuple[Metric, ...] = (
    Metric("mean_auc", "Mean AUC", numbers.decimal, "higher", "ROC-AUC of the confidence, mean over targets"),
    Metric(
        "mean_brier",
        "Mean Brier",
        numbers.decimal,
        "lower",
        "mean squared error of the confidence, mean over targets",
    ),
    Metric(
        "mean_ece",
        "Mean ECE",
        numbers.decimal,
        "lower",
        "calibration error in 15 equal-width bins, mean over targets",
    ),
    Metric(
        "mean_log_loss",
        "Mean log loss",
        numbers.decimal,
        "lower",
        "negative log likelihood in nats, mean over targets",
    ),
    Metric(
        "relative_auc",
        "Relative AUC",
        numbers.decimal,
        "higher",
        "which of two targets answers a query that only one can; mean over pairs",
    ),
    Metric(
        "hull_gain",
        "Hull gain",
        _points,
        "higher",
        "accuracy above the best static mixture at equal cost, mean over log-spaced costs",
    ),
    Metric("p_auccc", "P-AUCCC", numbers.decimal, "higher", "area under the normalised accuracy-cost curve"),
    Metric(
        "p_auccc_models",
        "P-AUCCC of the models",
        numbers.decimal,
        "",
        "the same on the Pareto-optimal single targets",
    ),
    Metric("mdp_auccc", "MDP-AUCCC", _signed, "higher", "P-AUCCC of the router less that of the models"),
    Metric("efficacy", "Efficacy", numbers.decimal, "lower", "mean distance to the oracle's operating point"),
    Metric(
        "efficacy_models",
        "Efficacy of the models",
        numbers.decimal,
        "",
        "the same for the Pareto-optimal single targets",
    ),
    Metric("efficacy_corner", "Efficacy to the corner", numbers.decimal, "lower", "mean distance to (1, 1)"),
    Metric("efficacy_corner_models", "Efficacy to the corner, models", numbers.decimal, "", ""),
    Metric(
        "routed_accuracy_lambda0",
        "Accuracy at λ = 0",
        numbers.percent,
        "higher",
        "every query to its most confident target",
    ),
    Metric(
        "routed_accuracy",
        "Accuracy at the chosen λ",
        numbers.percent,
        "higher",
        "λ chosen without the test part",
    ),
    Metric(
        "headroom_captured",
        "Headroom captured",
        numbers.percent,
        "higher",
        "share of the way from the best single target to the oracle, at the chosen λ",
    ),
    Metric(
        "cost_savings",
        "Cost savings",
        numbers.percent,
        "higher",
        "against the dearest target, at the chosen λ",
    ),
    Metric(
        "cost_at_best_single",
        "Cost at best single",
        _times,
        "lower",
        "least cost that reaches the best single target's accuracy, over that target's cost",
    ),
    Metric(
        "paper_headroom_captured",
        "Headroom captured (paper)",
        numbers.percent,
        "higher",
        "as the paper reads it: at the sweep's best point on test",
    ),
    Metric(
        "paper_cost_savings",
        "Cost savings (paper)",
        numbers.percent,
        "higher",
        "as the paper reads it: at the sweep's best point on test",
    ),
)
"""In the order of the report; metrics that a run has and this list lacks are printed after them, by key."""

HEADLINE_KEYS = (
    "mean_auc",
    "mean_brier",
    "relative_auc",
    "hull_gain",
    "mdp_auccc",
    "headroom_captured",
    "cost_savings",
    "cost_at_best_single",
)

TARGET_METRICS: tuple[Metric, ...] = (
    Metric("accuracy", "accuracy", numbers.percent, "", "share of test queries it answers correctly"),
    Metric("auc", "AUC", numbers.decimal, "higher", "ROC-AUC of the confidence"),
    Metric("brier", "Brier", numbers.decimal, "lower", "mean squared error of the confidence"),
    Metric("ece", "ECE", numbers.decimal, "lower", "calibration error in 15 equal-width bins"),
    Metric("log_loss", "log loss", numbers.decimal, "lower", "negative log likelihood in nats"),
    Metric(
        "routed_share",
        "routed\nshare",
        numbers.percent,
        "",
        "share of the test queries that go to it at the chosen λ",
    ),
    Metric("routed_accuracy", "accuracy\nrouted", numbers.percent, "", "on the queries routed to it"),
    Metric("away_accuracy", "accuracy\naway", numbers.percent, "", "on the queries routed elsewhere"),
    Metric(
        "routing_delta",
        "routing\ndelta (pp)",
        numbers.points,
        "higher",
        "accuracy routed less accuracy away, percentage points",
    ),
)
"""The columns of the per-target table."""
