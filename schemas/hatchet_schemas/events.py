"""The event envelope: what the router makes of a message."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from hatchet_schemas.model import Model

__all__ = ["Event", "EventHeader"]


class EventHeader(Model):
    """What is known of an event but for its data.

    ``key`` is the AMQP routing key, verbatim. ``id`` tells this event from every other of the same
    ``source``; a redelivery has the same one. ``time`` is when it happened, or when it was received
    if the publisher did not say.
    """

    id: str
    key: str
    time: AwareDatetime
    source: str | None = None


class Event(EventHeader):
    """Something that happened, as published by an application.

    ``data`` is the message's JSON object.
    """

    data: dict[str, Any]

    @property
    def header(self) -> EventHeader:
        """The event without its data."""
        return EventHeader(id=self.id, key=self.key, time=self.time, source=self.source)
