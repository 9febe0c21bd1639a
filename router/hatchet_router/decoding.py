"""A delivery into an event, or into the reason why it is none."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from hatchet_router.cloud_events import (
    CLOUD_EVENTS,
    CLOUD_EVENTS_BATCH,
    CLOUD_EVENTS_JSON,
    ID_HEADERS,
    attributes_in,
    of_binary,
    of_structured,
)
from hatchet_router.contents import contents_of, text_of
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.envelopes import (
    MASSTRANSIT,
    MASSTRANSIT_JSON,
    Envelope,
    is_celery,
    of_celery,
    of_masstransit,
    of_plain,
)
from hatchet_router.hops import hops_in
from hatchet_router.json_bodies import MAX_DEPTH, strict_json
from hatchet_router.message_headers import check_headers
from hatchet_router.reasons import TOO_LARGE, UNSUPPORTED_ENCODING
from hatchet_router.refusals import Refusal, shown
from hatchet_router.sources import event_source
from hatchet_router.timestamps import utc
from hatchet_schemas import Event

__all__ = ["DEFAULT_MAX_BODY_BYTES", "MAX_DEPTH", "MAX_ID_BYTES", "decode"]

DEFAULT_MAX_BODY_BYTES: Final = 256 * 1024

MAX_ID_BYTES: Final = 255
"""The longest id of an event: what AMQP's ``message_id`` can be, and so a dead letter's."""


def decode(
    delivery: Delivery,
    *,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> Event | Rejection:
    """Return the event in ``delivery``, or why there is none.

    The body is a JSON object, in UTF-8 where nothing else is said; clients that set no properties
    at all are understood. CloudEvents and the envelopes of Celery and MassTransit are opened: their
    id, time and source go before the properties. The event's id is the AMQP ``message_id``;
    without one the event gets a new id, so that a redelivery is a new event. Into its source goes
    the broker-verified ``user_id`` (`event_source`).

    ``max_body_bytes`` bounds the body as it comes and as it is when decompressed.
    """
    event_id = delivery.message_id or None
    try:
        envelope = _envelope(delivery, max_body_bytes)
        if envelope.id is not None:
            event_id = _checked_id(envelope.id)
        time = envelope.time or delivery.timestamp
        time = now() if time is None else utc(time, "timestamp")
    except Refusal as refusal:
        event_id = _said_id(delivery) or event_id or new_id()
        return Rejection(refusal.kind, str(refusal), event_id)
    return Event(
        id=event_id or new_id(),
        key=delivery.routing_key,
        time=time,
        source=event_source(delivery.user_id, envelope.source),
        hops=hops_in(delivery.headers),
        data=envelope.data,
    )


def _envelope(delivery: Delivery, max_bytes: int) -> Envelope:
    if len(delivery.body) > max_bytes:
        raise Refusal(
            f"the body has {len(delivery.body):,} bytes, at most {max_bytes:,} are accepted",
            TOO_LARGE,
        )
    contents = contents_of(delivery.content_type, delivery.content_encoding)
    media_type, headers = contents.media_type, delivery.headers
    if headers:
        check_headers(headers)
    structured = media_type.startswith(CLOUD_EVENTS)
    masstransit = media_type.startswith(MASSTRANSIT)
    if (structured or masstransit) and media_type not in {CLOUD_EVENTS_JSON, MASSTRANSIT_JSON}:
        raise Refusal(_unsupported(media_type), UNSUPPORTED_ENCODING)
    text = text_of(delivery.body, contents, headers, max_bytes=max_bytes)
    if structured:
        return of_structured(strict_json(text))
    if headers and (attributes := attributes_in(headers)) is not None:
        return of_binary(attributes, text, contents.name)
    body = strict_json(text, contents.name)
    if masstransit:
        return of_masstransit(body)
    if headers and isinstance(body, list) and is_celery(headers):
        return of_celery(body, headers)
    return of_plain(body, delivery.correlation_id)


def _unsupported(media_type: str) -> str:
    if media_type.startswith(CLOUD_EVENTS_BATCH):
        return "a batch of CloudEvents is not supported; publish each as a message of its own"
    return f"content type {shown(media_type)} is not supported"


def _said_id(delivery: Delivery) -> str | None:
    """Return the id in the headers of a message that was refused, so that it can be found by it."""
    headers = delivery.headers
    names = ID_HEADERS if not is_celery(headers) else (*ID_HEADERS, "id")
    ids = (headers.get(name) for name in names)
    return next(
        (
            found
            for found in ids
            if isinstance(found, str) and 0 < len(found.encode()) <= MAX_ID_BYTES
        ),
        None,
    )


def _checked_id(event_id: str) -> str:
    if (size := len(event_id.encode())) > MAX_ID_BYTES:
        raise Refusal(
            f"the event's id has {size:,} bytes, at most {MAX_ID_BYTES} are accepted", TOO_LARGE
        )
    return event_id
