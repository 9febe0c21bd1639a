"""What a worker has done so far, in numbers that cost next to nothing to keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from hatchet_schemas.distributions import Distribution

__all__ = ["OUTCOMES", "UNKNOWN_ACTION", "ActionCounts", "StepCounts", "StepOutcome"]

StepOutcome = Literal["completed", "retried", "failed", "cancelled", "stopped"]
"""How an attempt of a step ended: ``retried`` is a failure that another attempt follows, and
``stopped`` was ended with its worker."""

OUTCOMES: Final[tuple[StepOutcome, ...]] = (
    "completed",
    "retried",
    "failed",
    "cancelled",
    "stopped",
)

UNKNOWN_ACTION: Final = "unknown"
"""What all actions are called that the worker does not have: files can name any."""

_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


@dataclass(slots=True)
class ActionCounts:
    """How attempts of steps that call one action ended, and how many seconds they took."""

    outcomes: dict[StepOutcome, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    seconds: Distribution = field(default_factory=lambda: Distribution(_SECONDS))


@dataclass(slots=True)
class StepCounts:
    """How many attempts of steps run, and how those before ended, by action."""

    running: int = 0
    by_action: dict[str, ActionCounts] = field(default_factory=dict[str, ActionCounts])

    def ended(self, action: str | None, outcome: StepOutcome, seconds: float) -> None:
        """Count how an attempt ended."""
        name = action or UNKNOWN_ACTION
        counts = self.by_action.get(name)
        if counts is None:
            counts = self.by_action[name] = ActionCounts()
        counts.outcomes[outcome] += 1
        counts.seconds.observe(seconds)
