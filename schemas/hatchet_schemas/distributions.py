"""How values are distributed, counted at little cost: what metrics systems call a histogram."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

__all__ = ["Distribution"]


class Distribution:
    """Counts values by the first of ``bounds``, which ascend, that they do not exceed."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds) + 1)  # the last is for what exceeds all

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Yield each bound, infinity last, and how many values do not exceed it."""
        yield from zip((*self.bounds, float("inf")), accumulate(self._counts), strict=True)
