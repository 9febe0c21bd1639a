"""The event envelope: what the router makes of a message."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from hatchet_schemas.model import Model

__all__ = ["Event"]


class Event(Model):
    """Something that happened, as published by an application.

    ``key`` is the AMQP routing key, verbatim. ``id`` tells this event from every other of the same
    ``source``; a redelivery has the same one. ``time`` is when it happened, or when it was received
    if the publisher did not say. ``data`` is the message's JSON object.
    """

    id: str
    key: str
    time: AwareDatetime
    source: str | None = None
    data: dict[str, Any]
