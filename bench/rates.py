"""How fast something was done, and what it cost the process that did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measurements import Goal, Measurement

__all__ = ["Rate", "computing", "rates"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of something in ``seconds``, for which a process computed ``cpu_seconds``."""

    count: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """How many were done in a second."""
        return self.count / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        """How long the process computed for one of them."""
        return self.cpu_seconds / self.count * 1e3


def rates(
    name: str,
    unit: str,
    ours: Sequence[Rate],
    limits: Sequence[Rate],
    goal: Goal | None,
    limit_is: str,
) -> Measurement:
    """Return how many were done in a second."""
    return Measurement(
        name,
        unit,
        tuple(each.per_second for each in ours),
        tuple(each.per_second for each in limits),
        goal,
        limit_is,
    )


def computing(
    name: str, ours: Sequence[Rate], limits: Sequence[Rate], limit_is: str
) -> Measurement:
    """Return how long the process computed for each; what else the machine does matters little."""
    return Measurement(
        name,
        "ms CPU",
        tuple(each.cpu_milliseconds for each in ours),
        tuple(each.cpu_milliseconds for each in limits),
        None,
        limit_is,
    )
