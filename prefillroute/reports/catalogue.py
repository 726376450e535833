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
    return text if text == numbers.MISSING else f"{text}{numbers.NBSP}pp"


def _times(value: float | None) -> str:
    text = numbers.decimal(value, 2)
    return text if text == numbers.MISSING else f"{text}{numbers.NBSP}×"


METRICS: tuple[Metric, ...] = (
    Metric("mean_auc", "Mean AUC", numbers.decimal, "higher", "ROC-AUC of the confidence, mean over targets"),
    Metric(
        "mean_brier",
        "Mean Brier",
        numbers.decimal,
        "lower",
        "squared error of the confidence, mean over targets",
    ),
    Metric("mean_ece", "Mean ECE", numbers.decimal, "lower", "calibration error, 15 bins, mean over targets"),
    Metric(
        "selection_auc",
        "AUC to select by",
        numbers.decimal,
        "higher",
        "mean AUC on the calibration or out-of-fold rows: choose between routers by it, not by test",
    ),
    Metric(
        "selection_brier",
        "Brier to select by",
        numbers.decimal,
        "lower",
        "mean Brier score on the same rows, which the calibrator has seen",
    ),
    Metric("mean_log_loss", "Mean log loss", numbers.decimal, "lower", "in nats, mean over targets"),
    Metric(
        "relative_auc",
        "Relative AUC",
        numbers.decimal,
        "higher",
        "which of two targets answers what only one of them can, mean over pairs",
    ),
    Metric(
        "hull_gain",
        "Hull gain",
        _points,
        "higher",
        "accuracy of the router's operating points, mixed, above the best static mixture of targets at equal cost, "
        "mean over log-spaced costs",
    ),
    Metric(
        "hull_gain_step",
        "Hull gain, not mixed",
        _points,
        "higher",
        "the older reading: the router's best single operating point that costs no more, above the same mixture",
    ),
    Metric(
        "hull_gain_over_constant",
        "Hull gain over constant",
        _points,
        "higher",
        "the paired difference to the constant predictor; 0 means that reading the query gains nothing",
    ),
    Metric("p_auccc", "P-AUCCC", numbers.decimal, "higher", "area under the normalised accuracy-cost curve"),
    Metric(
        "p_auccc_models",
        "P-AUCCC of the targets",
        numbers.decimal,
        "",
        "the same for Pareto-optimal single targets",
    ),
    Metric("mdp_auccc", "MDP-AUCCC", _signed, "higher", "P-AUCCC of the router less that of the targets"),
    Metric(
        "p_auccc_relative_gain",
        "P-AUCCC, relative gain",
        numbers.percent,
        "higher",
        "MDP-AUCCC over P-AUCCC of the targets",
    ),
    Metric("efficacy", "Efficacy", numbers.decimal, "lower", "mean distance to the oracle's operating point"),
    Metric(
        "efficacy_models",
        "Efficacy of the targets",
        numbers.decimal,
        "",
        "the same for Pareto-optimal single targets",
    ),
    Metric(
        "efficacy_gain",
        "Efficacy, gain",
        _signed,
        "higher",
        "by how much the router is nearer than the targets",
    ),
    Metric(
        "efficacy_relative_gain",
        "Efficacy, relative gain",
        numbers.percent,
        "higher",
        "that gain over the targets' efficacy",
    ),
    Metric("efficacy_corner", "Efficacy to the corner", numbers.decimal, "lower", "mean distance to (1, 1)"),
    Metric(
        "efficacy_corner_models",
        "Efficacy to the corner, targets",
        numbers.decimal,
        "",
        "for Pareto-optimal single targets",
    ),
    Metric(
        "headroom_captured",
        "Headroom captured",
        numbers.percent,
        "higher",
        "of the way from the best single target to the oracle, at the chosen λ",
    ),
    Metric(
        "cost_savings",
        "Cost savings",
        numbers.percent,
        "higher",
        "against the dearest target, at the chosen λ",
    ),
    Metric(
        "accuracy_gain", "Accuracy gain", _points, "higher", "over the best single target, at the chosen λ"
    ),
    Metric(
        "headroom_captured_lambda0",
        "Headroom captured, λ = 0",
        numbers.percent,
        "higher",
        "every query to its most confident target",
    ),
    Metric(
        "cost_savings_lambda0",
        "Cost savings, λ = 0",
        numbers.percent,
        "higher",
        "every query to its most confident target",
    ),
    Metric("accuracy_gain_lambda0", "Accuracy gain, λ = 0", _points, "higher", "over the best single target"),
    Metric(
        "cost_savings_at_best_single",
        "Cost savings at the best single's accuracy",
        numbers.percent,
        "higher",
        "λ chosen, without the test part, for the least cost at the best single target's accuracy",
    ),
    Metric(
        "accuracy_gain_at_best_single",
        "Accuracy gain at that λ",
        _points,
        "higher",
        "over the best single target; what the choice of λ promised was 0 or more",
    ),
    Metric(
        "cost_at_best_single",
        "Cost at best single",
        _times,
        "lower",
        "least cost of the test sweep at the best single target's accuracy, over that target's cost",
    ),
    Metric(
        "paper_headroom_captured",
        "Headroom captured (paper)",
        numbers.percent,
        "higher",
        "read as in the paper, at the sweep's best point on test",
    ),
    Metric(
        "paper_cost_savings",
        "Cost savings (paper)",
        numbers.percent,
        "higher",
        "read as in the paper, at the sweep's best point on test",
    ),
    Metric(
        "paper_accuracy_gain",
        "Accuracy gain (paper)",
        _points,
        "higher",
        "read as in the paper, at the sweep's best point on test",
    ),
)
"""The global metrics in the order of the report; accuracies and costs of operating points have their own table."""

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
        "share_lambda0", "share\nat λ = 0", numbers.percent, "", "of the test queries that go to it at λ = 0"
    ),
    Metric(
        "share", "routed\nshare", numbers.percent, "", "of the test queries that go to it at the chosen λ"
    ),
    Metric(
        "accuracy_routed_to", "accuracy\nrouted", numbers.percent, "", "on the queries routed to it, chosen λ"
    ),
    Metric(
        "accuracy_routed_away",
        "accuracy\naway",
        numbers.percent,
        "",
        "on the queries routed elsewhere, chosen λ",
    ),
    Metric(
        "routing_delta",
        "routing\ndelta (pp)",
        numbers.points,
        "",
        "accuracy routed less accuracy away, percentage points",
    ),
)
"""The columns of the per-target table."""

STRATEGIES = (
    ("router, chosen λ", "routed_accuracy", "routed_cost"),
    ("router, λ = 0", "routed_accuracy_lambda0", "routed_cost_lambda0"),
    (
        "router, λ for the best single's accuracy",
        "routed_accuracy_at_best_single",
        "routed_cost_at_best_single",
    ),
    ("router, best point on test (paper)", "paper_routed_accuracy", "paper_routed_cost"),
    ("constant predictor, its chosen λ", "constant_routed_accuracy", "constant_routed_cost"),
    ("best target of each benchmark", "per_benchmark_best_accuracy", "per_benchmark_best_cost"),
    ("best single target", "best_single_accuracy", "best_single_cost"),
    ("cheapest target", "cheapest_accuracy", "cheapest_cost"),
    ("dearest target", "dearest_accuracy", "dearest_cost"),
    ("random target", "random_accuracy", "random_cost"),
    ("oracle", "oracle_accuracy", "oracle_cost"),
)
"""Ways to choose a target: name, key of the accuracy, key of the mean estimated cost (USD per query)."""
