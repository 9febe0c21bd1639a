"""What was measured: figures, their limits, and what the goal says of the two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

__all__ = ["Goal", "Measurement", "at_least", "at_most", "below", "interleaved", "percentile"]

Relation = Literal["≥", "≤", "<"]

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio shall be, or with ``of`` "figure" the figure itself."""

    relation: Relation
    bound: float
    of: Literal["ratio", "figure"] = "ratio"

    def is_met(self, value: float) -> bool:
        """Return whether ``value`` is as it shall be."""
        match self.relation:
            case "≥":
                return value >= self.bound
            case "≤":
                return value <= self.bound
            case "<":
                return value < self.bound


def at_least(bound: float) -> Goal:
    """Return the goal that the ratio is ``bound`` or more."""
    return Goal("≥", bound)


def at_most(bound: float, of: Literal["ratio", "figure"] = "ratio") -> Goal:
    """Return the goal that the ratio, or the figure, is ``bound`` or less."""
    return Goal("≤", bound, of)


def below(bound: float, of: Literal["ratio", "figure"] = "ratio") -> Goal:
    """Return the goal that the ratio, or the figure, is less than ``bound``."""
    return Goal("<", bound, of)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure of ours, repeated, and the limit that was measured in turn with it.

    ``figures`` and ``limits`` are in ``unit`` and in the order in which they were measured. Without
    ``limits`` there is nothing to compare with. ``limit_is`` says what the limit is.
    """

    name: str
    unit: str
    figures: tuple[float, ...]
    limits: tuple[float, ...] = ()
    goal: Goal | None = None
    limit_is: str = ""
    note: str = ""

    @property
    def figure(self) -> float:
        """The median of our repetitions."""
        return median(self.figures)

    @property
    def limit(self) -> float | None:
        """The median of the limit's."""
        return median(self.limits) if self.limits else None

    @property
    def ratio(self) -> float | None:
        """Our figure as a multiple of the limit.

        Where each repetition of ours has one of the limit's right after it, this is the median of
        their ratios: what slows down the machine for a while then slows down both.
        """
        if not self.limits:
            return None
        if len(self.figures) != len(self.limits):
            return self.figure / median(self.limits)
        return median(ours / bare for ours, bare in zip(self.figures, self.limits, strict=True))

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        value = self.figure if self.goal.of == "figure" else self.ratio
        return value is not None and self.goal.is_met(value)


async def interleaved(
    repetitions: int,
    ours: Callable[[], Awaitable[float]],
    limit: Callable[[], Awaitable[float]],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure ours, the limit, ours, the limit and so on; return the figures of both."""
    figures: list[float] = []
    limits: list[float] = []
    for _ in range(repetitions):
        figures.append(await ours())
        limits.append(await limit())
    return tuple(figures), tuple(limits)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that ``percent`` of ``values`` do not exceed (the nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // _PERCENT)  # rounded up
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]
