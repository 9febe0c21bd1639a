"""What becomes of a message that the router cannot handle: a dead letter, or another's event."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pamqp.header import ContentHeader

from hatchet_router.deliveries import Rejection
from hatchet_router.letter_headers import (
    ATTEMPTS,
    BROKER_HEADERS,
    DEATH_PREFIXES,
    DEATHS,
    DETAIL,
    EVENT_ID,
    EXCHANGE,
    FIRST_TIME,
    HISTORY,
    LOST,
    OUR_HEADERS,
    PASSED,
    PROPERTIES,
    QUEUE,
    REASON,
    RETURNED,
    TIME,
    USER_ID,
    VERSION,
    WORKFLOWS,
)
from hatchet_router.topology import replay_exchange
from hatchet_router.undecodable import MAX_PROPERTIES_BYTES, UnreadableProperties

__all__ = [
    "can_be_sent",
    "dead_letter",
    "passed_on",
    "returned_before",
    "source_of",
    "times_passed",
    "without_deaths_in",
]

_MAX_DETAIL_CHARACTERS: Final = 1000
_MAX_WORKFLOWS: Final = 10
_MAX_RAW_BYTES: Final = 16_000
_VERSION: Final = version("hatchet-workflows")


def dead_letter(
    message: AbstractIncomingMessage,
    rejection: Rejection,
    *,
    queue: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> aio_pika.Message:
    """Return a message with the body and properties of ``message`` and the reason on top.

    ``queue`` is the router's, from which it came. Headers of our names are believed only of an
    event that was replayed.
    """
    history = _history(message, queue)
    time = now().isoformat(timespec="milliseconds")
    attempts = history.get(ATTEMPTS)
    reason: dict[str, Any] = {
        EXCHANGE: message.exchange,
        FIRST_TIME: time,
        **history,
        USER_ID: source_of(message, queue),
        ATTEMPTS: (attempts if isinstance(attempts, int) else 0) + 1,
        REASON: rejection.kind,
        DETAIL: _sendable(rejection.message[:_MAX_DETAIL_CHARACTERS]),
        WORKFLOWS: [_sendable(name) for name in rejection.workflows[:_MAX_WORKFLOWS]],
        EVENT_ID: rejection.event_id or message.message_id,
        TIME: time,
        VERSION: _VERSION,
        QUEUE: queue,
    }
    if isinstance(message.headers, UnreadableProperties):
        # As they came on the wire, flags first (AMQP 0-9-1, section 4.2.6.1), for whoever can read.
        reason[PROPERTIES] = bytearray(message.headers.raw[:_MAX_RAW_BYTES])
    letter = _letter(message, {**_others(message, queue), **reason}, rejection.event_id)
    if can_be_sent(letter):
        return letter
    reason.pop(PROPERTIES, None)
    return _letter(message, {**reason, LOST: "headers"}, rejection.event_id)


def passed_on(
    message: AbstractIncomingMessage, *, queue: str, new_id: str, returned: int
) -> aio_pika.Message:
    """Return the event in ``message`` for another router, with its history in headers.

    ``new_id`` is its id if it has none yet, so that it starts nothing twice; ``returned`` is how
    often RabbitMQ took it back, which would count from 0 again.
    """
    history: dict[str, Any] = {
        EXCHANGE: message.exchange,
        **_history(message, queue),
        USER_ID: source_of(message, queue),
        PASSED: times_passed(message, queue) + 1,
        RETURNED: returned,
    }
    event_id = message.message_id or new_id
    event = _letter(message, {**_others(message, queue), **history}, event_id)
    return event if can_be_sent(event) else _letter(message, {**history, LOST: "headers"}, event_id)


def times_passed(message: AbstractIncomingMessage, queue: str) -> int:
    """Return how often routers have passed the event on; a publisher's own header says nothing."""
    return _count(message, queue, PASSED)


def returned_before(message: AbstractIncomingMessage, queue: str) -> int:
    """Return how often RabbitMQ had taken the event back when it was passed on last."""
    return _count(message, queue, RETURNED)


def _count(message: AbstractIncomingMessage, queue: str, header: str) -> int:
    times = message.headers.get(header) if message.exchange == replay_exchange(queue) else None
    return times if isinstance(times, int) and times > 0 else 0


def source_of(message: AbstractIncomingMessage, queue: str) -> str | None:
    """Return the user, verified by RabbitMQ, who published the event in ``message``.

    Of an event that was replayed this is who published it in the first place; ``queue`` is the
    router's. Event ids are unique for each source, so without it a job could start twice.
    """
    user_id = _history(message, queue).get(USER_ID)
    return message.user_id or (user_id if isinstance(user_id, str) and user_id else None)


def without_deaths_in(queue: str | None, headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``headers`` without RabbitMQ's records of deaths in ``queue``."""
    deaths = headers.get(DEATHS)
    if not isinstance(deaths, list):
        return dict(headers)
    others = [
        death for death in deaths if not (isinstance(death, dict) and death.get("queue") == queue)
    ]
    if others:
        return {**headers, DEATHS: others}
    return {
        name: value
        for name, value in headers.items()
        if name != DEATHS and not name.startswith(DEATH_PREFIXES)
    }


def can_be_sent(message: aio_pika.Message) -> bool:
    """Return whether the properties of ``message`` can be written, and then read again by us."""
    try:
        size = len(ContentHeader(properties=message.properties).marshal())
    except (TypeError, ValueError, struct.error, RecursionError):
        return False  # pamqp reads header values that it cannot write
    return size <= MAX_PROPERTIES_BYTES


def _others(message: AbstractIncomingMessage, queue: str) -> dict[str, Any]:
    """Return the headers that are the publisher's."""
    others = {
        name: value
        for name, value in message.headers.items()
        if name not in OUR_HEADERS and name not in BROKER_HEADERS
    }
    return without_deaths_in(queue, others)


def _history(message: AbstractIncomingMessage, queue: str) -> dict[str, Any]:
    if message.exchange != replay_exchange(queue):
        return {}
    return {name: value for name, value in message.headers.items() if name in HISTORY}


def _sendable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _letter(
    message: AbstractIncomingMessage, headers: Mapping[str, Any], event_id: str | None
) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=dict(headers),
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        priority=message.priority,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        # Ours where it had none, so that a replay starts nothing a second time.
        message_id=event_id or message.message_id,
        timestamp=message.timestamp,
        type=message.type,
        app_id=message.app_id,
    )
