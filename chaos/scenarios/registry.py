"""How a scenario is declared, and the list of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos.stages import Stage

__all__ = ["SCENARIOS", "Scenario", "scenario"]

Play = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that goes wrong, and what has to hold all the same (its ``invariant``)."""

    name: str
    invariant: str
    play: Play


SCENARIOS: Final[dict[str, Scenario]] = {}
"""All scenarios by their names, in the order in which they are played."""


def scenario(name: str) -> Callable[[Play], Play]:
    """Declare a scenario: a function that does the faults; its docstring is the invariant.

    What holds for all of them need not be said: see `chaos.verdicts`.
    """

    def declare(play: Play) -> Play:
        invariant = " ".join((play.__doc__ or "").split())
        SCENARIOS[name] = Scenario(name, invariant, play)
        return play

    return declare
