"""What a router has done so far, in numbers that cost next to nothing to keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hatchet_router.deliveries import OUTCOMES, Outcome, Rejection, Routed, name_of
from hatchet_router.reasons import REASONS
from hatchet_schemas.distributions import Distribution

__all__ = ["EventCounts"]

_ROUTING_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LAG_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)


@dataclass(slots=True)
class EventCounts:
    """Deliveries and what became of them; one that comes again is counted again.

    ``routing`` is how long events took that started jobs, from their delivery until Temporal had
    the jobs, and ``lag`` how old they were then; both in seconds.
    """

    received: int = 0
    in_hand: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    dead_letters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    jobs_started: int = 0
    jobs_duplicate: int = 0
    routing: Distribution = field(default_factory=lambda: Distribution(_ROUTING_SECONDS))
    lag: Distribution = field(default_factory=lambda: Distribution(_LAG_SECONDS))
    now: Callable[[], float] = time.time

    def job(self, *, duplicate: bool) -> None:
        """Count a job that Temporal has accepted, or had before."""
        if duplicate:
            self.jobs_duplicate += 1
        else:
            self.jobs_started += 1

    def settled(self, outcome: Outcome, seconds: float) -> None:
        """Count what became of an event, ``seconds`` after it came."""
        self.outcomes[name_of(outcome)] += 1
        match outcome:
            case Routed(event, jobs) if jobs:
                self.routing.observe(seconds)
                # A publisher's clock may be ahead of ours, and its times are often whole seconds.
                self.lag.observe(max(0.0, self.now() - event.time.timestamp()))
            case Rejection(kind):
                self.dead_letters[kind] = self.dead_letters.get(kind, 0) + 1
            case _:
                pass
