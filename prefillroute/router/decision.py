"""What the router answers: the chosen target, and everything the choice was made from."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """One routed query.

    `confidence` is the calibrated P(target answers correctly), `cost_usd` the estimate for this query, both
    per target in pool order and only for the targets that were allowed.
    """

    target: str
    """The chosen target, as the pool names it."""
    endpoint: str
    """Model name that a gateway sends the query to."""
    confidence: dict[str, float]
    cost_usd: dict[str, float]
    policy: str
    """Policy and its parameter, for instance ``lambda=0.3``."""
    query_tokens: int
    """Tokens of the bare query, which the cost estimate starts from."""
    encoder_tokens: int
    """Tokens that the encoder read, chat template included; less than the query has when it was cut."""
    truncated: bool
    """The query was longer than the encoder's context: its middle was left out (DESIGN section 7)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, in the order of the fields."""
        return asdict(self)
