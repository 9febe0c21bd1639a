"""What comes from the bus, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from hatchet_schemas import Event

__all__ = [
    "OUTCOMES",
    "Delivery",
    "Outcome",
    "OutcomeName",
    "PassedOn",
    "Rejection",
    "Routed",
    "StartedJob",
    "Unmatched",
    "name_of",
]

OutcomeName = Literal["started", "declined", "unmatched", "passed-on", "dead-lettered"]

OUTCOMES: Final[tuple[OutcomeName, ...]] = (
    "started",
    "declined",
    "unmatched",
    "passed-on",
    "dead-lettered",
)
"""What can become of an event, as metrics and spans call it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One AMQP message as it was delivered, in terms that know no client library.

    Its texts are Unicode: what on the wire is no UTF-8 never becomes a delivery.
    """

    body: bytes
    routing_key: str
    message_id: str | None = None
    timestamp: datetime | None = None
    user_id: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    redelivered: bool = False
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an event cannot be handled: ``kind`` is one of `REASONS`, ``message`` for people.

    ``workflows`` are the names of those that did not get the event, where it is known.
    """

    kind: str
    message: str
    event_id: str | None = None
    workflows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job that Temporal has accepted; ``duplicate`` where it had done so before."""

    workflow: str
    job: str
    queue: str
    workflow_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Routed:
    """An event of which every job has been accepted; where conditions decline it, there is none."""

    event: Event
    jobs: tuple[StartedJob, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A delivery whose key no trigger matches, which is normal; nobody has looked into its body."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A delivery that matches nothing here, and went back to the queue for another router."""


Outcome = Routed | Rejection | Unmatched | PassedOn


def name_of(outcome: Outcome) -> OutcomeName:
    """Return what an outcome is called wherever operators meet it."""
    match outcome:
        case Routed():
            return "started" if outcome.jobs else "declined"
        case Unmatched():
            return "unmatched"
        case PassedOn():
            return "passed-on"
        case Rejection():
            return "dead-lettered"
