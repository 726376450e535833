"""The router's answer: the chosen target and everything that the choice was based on."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """One routed query.

    `confidence` is the calibrated P(target answers correctly) and `cost_usd` is the estimate for this query. Both list
    the allowed targets only, in pool order.

    Example:
        >>> decision = Decision(
        ...     "small", "org/small-1b", {"small": 0.9, "large": 0.95}, {"small": 1e-5, "large": 1e-3},
        ...     ranking=["small", "large"], policy="lambda=0.3", query_tokens=12, encoder_tokens=20, truncated=False,
        ... )
        >>> decision.to_dict()["target"], decision.confidence[decision.target]
        ('small', 0.9)
    """

    target: str
    """The chosen target, as the pool names it."""
    endpoint: str
    """Name of the model that a gateway sends the query to."""
    confidence: dict[str, float]
    cost_usd: dict[str, float]
    ranking: list[str]
    """The allowed targets from the best to the worst by the policy: the second is whom to ask if the first fails."""
    policy: str
    """The policy and its parameter, for instance ``lambda=0.3``."""
    query_tokens: int | None
    """Tokens of the bare query, on which the cost estimate is based; None for a router without an encoder, whose
    estimate is that of a typical query."""
    encoder_tokens: int
    """Tokens that all models read, chat template included; fewer than the query has if it was truncated."""
    truncated: bool
    """Whether the query was longer than a model's context, so that its middle was left out (DESIGN section 7)."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, in order."""
        return asdict(self)
