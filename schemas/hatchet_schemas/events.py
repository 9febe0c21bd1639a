"""The event envelope: what the router makes of a message."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field

from hatchet_schemas.model import Model

__all__ = ["MAX_HOPS", "Event", "EventHeader"]

MAX_HOPS: Final = 255
"""The most hops that are counted; an event that says it has more has these."""


class EventHeader(Model):
    """What is known of an event but for its data.

    ``key`` is the AMQP routing key, verbatim. ``id`` tells this event from every other of the same
    ``source``; a redelivery has the same one. ``time`` is when it happened, or when it was received
    if the publisher did not say. ``hops`` is how many steps, each started by an event before, led
    to it: 0 where a service published it, one more than its own event's where a step did. It is
    left out of JSON where it is 0, so that older workers can read all other jobs.
    """

    id: str
    key: str
    time: AwareDatetime
    source: str | None = None
    hops: Annotated[int, Field(ge=0, le=MAX_HOPS, exclude_if=lambda hops: hops == 0)] = 0


class Event(EventHeader):
    """Something that happened, as published by an application.

    ``data`` is the message's JSON object.
    """

    data: dict[str, Any]

    @property
    def header(self) -> EventHeader:
        """The event without its data."""
        return EventHeader(
            id=self.id, key=self.key, time=self.time, source=self.source, hops=self.hops
        )
