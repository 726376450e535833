"""Areas under the normalised accuracy-cost curve (paper eq. 7 to 9)."""

from prefillroute.metrics.cost_curve import p_auccc, p_auccc_models
from prefillroute.metrics.ratio import relative_gain
from prefillroute.routing.statistics.contract import PoolStatistic, RouterStatistic, Shown
from prefillroute.routing.statistics.reasons import no_complete_query, no_inverse_cost_space

REASONS = (no_complete_query, no_inverse_cost_space)
ZERO_BASELINE = "the single targets' own value is 0, and the gain is relative to it"

P_AUCCC_MODELS = PoolStatistic(
    key="p_auccc_models",
    compute=lambda view: p_auccc_models(view.points),
    place=110,
    reasons=REASONS,
    shown=Shown(
        label="P-AUCCC of the targets",
        form="decimal",
        meaning="the same for Pareto-optimal single targets",
        place=120,
    ),
)
P_AUCCC = RouterStatistic(
    key="p_auccc",
    compute=lambda view: p_auccc(*view.swept, view.points),
    place=60,
    reasons=REASONS,
    shown=Shown(
        label="P-AUCCC",
        form="decimal",
        better="higher",
        meaning="area under the normalised accuracy-cost curve",
        place=110,
        on=("table", "headline"),
    ),
)
MDP_AUCCC = RouterStatistic(
    key="mdp_auccc",
    compute=lambda view: view[P_AUCCC] - view.pool[P_AUCCC_MODELS],
    place=70,
    reasons=REASONS,
    shown=Shown(
        label="MDP-AUCCC",
        form="signed decimal",
        better="higher",
        meaning="P-AUCCC of the router less that of the targets",
        place=130,
        on=("table", "card", "headline", "sweep"),
    ),
)
P_AUCCC_RELATIVE_GAIN = RouterStatistic(
    key="p_auccc_relative_gain",
    compute=lambda view: relative_gain(view[P_AUCCC], view.pool[P_AUCCC_MODELS]),
    place=80,
    reasons=REASONS,
    otherwise=ZERO_BASELINE,
    shown=Shown(
        label="P-AUCCC, relative gain",
        form="percent",
        better="higher",
        meaning="MDP-AUCCC over P-AUCCC of the targets",
        place=140,
    ),
)
