"""What can be seen of a router from outside while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hatchet_router.readiness import Readiness

__all__ = ["Phase", "RouterStatus"]


class Phase(StrEnum):
    """Where a process is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(slots=True)
class RouterStatus:
    """The state of one router, kept by `service.serve` and read by whoever asks."""

    phase: Phase = Phase.STARTING
    readiness: Readiness = field(default_factory=Readiness)
