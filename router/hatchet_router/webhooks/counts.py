"""What a receiver of webhooks has done so far, in numbers that cost next to nothing to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from hatchet_schemas.distributions import Distribution

__all__ = ["OUTCOMES", "WebhookCounts", "WebhookOutcome"]

WebhookOutcome = Literal[
    "published", "unmatched", "answered", "refused", "malformed", "unavailable", "failed"
]

OUTCOMES: Final[tuple[WebhookOutcome, ...]] = (
    "published",
    "unmatched",
    "answered",
    "refused",
    "malformed",
    "unavailable",
    "failed",
)
"""What can become of a request, as metrics and the log (``webhook.<outcome>``) call it.

One whose body does not come is ``malformed`` as well, and nothing is logged of it.
"""

_ANSWER_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(slots=True)
class WebhookCounts:
    """Requests to providers' paths, by provider and by what became of them.

    ``seconds`` is how long they took, from their headers to the answer.
    """

    in_hand: int = 0
    by_provider: dict[str, dict[WebhookOutcome, int]] = field(
        default_factory=dict[str, dict[WebhookOutcome, int]]
    )
    seconds: Distribution = field(default_factory=lambda: Distribution(_ANSWER_SECONDS))

    def begin(self, providers: Iterable[str]) -> None:
        """Count from 0 for each provider: a rate can only be told of what has been 0 before."""
        for provider in providers:
            self.by_provider.setdefault(provider, dict.fromkeys(OUTCOMES, 0))

    def received(self, provider: str, outcome: WebhookOutcome, seconds: float) -> None:
        """Count a request that was answered after ``seconds``."""
        self.begin([provider])
        self.by_provider[provider][outcome] += 1
        self.seconds.observe(seconds)
