"""What can be seen of a router from outside while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hatchet_router.counts import EventCounts
from hatchet_router.readiness import Readiness
from hatchet_router.reloading import Reloader

__all__ = ["Phase", "RouterStatus"]


class Phase(StrEnum):
    """Where a process is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(slots=True)
class RouterStatus:
    """The state of one router, kept by `service.serve` and read by whoever asks.

    ``waiting`` is how many messages lay in each of its queues when they were looked at last, which
    is every few seconds. The ``reloader`` is there when the router is ready.
    """

    phase: Phase = Phase.STARTING
    readiness: Readiness = field(default_factory=Readiness)
    counts: EventCounts = field(default_factory=EventCounts)
    waiting: Mapping[str, int] = field(default_factory=dict[str, int])
    reloader: Reloader | None = None
