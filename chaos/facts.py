"""What a scenario has left behind, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.ledgers import RunStep
from chaos.programs import Weight

__all__ = ["Facts", "Fault", "Letter", "Run"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one job in Temporal; ``started`` is Unix time."""

    key: str
    job: str
    event_id: str
    run_id: str
    status: str
    started: float


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; without a ``reason`` it was not the router that wrote it."""

    event_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the system, from ``began`` to ``ended`` in Unix time."""

    name: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the verdict is made of.

    ``confirmed`` are the keys of events that a broker confirmed to their publishers, by id;
    ``bad`` the ids of those that have to become dead letters. ``steps`` is what ran, by the
    ledger; ``runs`` what was started, by Temporal. ``waiting`` is how many messages are left in the
    router's queue. ``observations`` are failures that a scenario saw by itself, and ``recoveries``
    the seconds that it measured by itself.
    """

    confirmed: Mapping[str, str]
    bad: frozenset[str]
    runs: tuple[Run, ...]
    letters: tuple[Letter, ...]
    steps: tuple[RunStep, ...]
    waiting: int | None
    faults: tuple[Fault, ...] = ()
    weights: tuple[Weight, ...] = ()
    observations: tuple[str, ...] = ()
    recoveries: tuple[float, ...] = ()
    notes: tuple[str, ...] = field(default=())
