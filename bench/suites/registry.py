"""How a suite is declared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bench.measurements import Measurement
from bench.workbench import Workbench

__all__ = ["Suite", "suite"]

Measure = Callable[[Workbench], AsyncIterator[Measurement]]


@dataclass(frozen=True, slots=True)
class Suite:
    """Measurements that belong together; each of its forms has a limit in seconds."""

    name: str
    what: str
    measure: Measure
    limit_seconds: float
    short_limit_seconds: float


def suite(
    name: str, *, limit_seconds: float = 900, short_limit_seconds: float = 240
) -> Callable[[Measure], Suite]:
    """Declare a suite: a function that measures; its docstring says what.

    It yields each measurement when it has it. What it needs is in the `Workbench` that it gets.
    """

    def declare(measure: Measure) -> Suite:
        what = " ".join((measure.__doc__ or "").split())
        return Suite(name, what, measure, limit_seconds, short_limit_seconds)

    return declare
