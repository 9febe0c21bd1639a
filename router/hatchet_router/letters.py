"""Dead letters as values: what is known of one, and the event that comes of it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.dead_letters import can_be_sent, without_deaths_in
from hatchet_router.letter_headers import (
    ATTEMPTS,
    BROKER_HEADERS,
    DEATHS,
    DETAIL,
    EVENT_ID,
    EXCHANGE,
    FIRST_TIME,
    HISTORY,
    LOST,
    OUR_HEADERS,
    QUEUE,
    REASON,
    REPLAYED_BY,
    REPLAYED_TIME,
    TIME,
    USER_ID,
    VERSION,
    WORKFLOWS,
)
from hatchet_router.topology import replay_exchange

__all__ = ["UNKNOWN_KIND", "DeadLetter", "read_letter", "replayed"]

UNKNOWN_KIND: Final = "unknown"
"""The kind of a message that neither a router nor RabbitMQ says anything about."""

# RabbitMQ's reasons (its documentation of dead letter exchanges) in our words.
_OF_RABBITMQ: Final = {
    "delivery_limit": ("delivery-limit", "it came back unsettled more often than its queue allows"),
    "rejected": ("rejected", "a consumer that is no router of ours rejected it"),
    "expired": ("expired", "it was in its queue longer than it or the queue allows"),
    "maxlen": ("queue-full", "its queue was full"),
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be handled, and why.

    ``kind`` is a stable name, ``message`` is for people. ``time`` is when it became a dead letter,
    ``first_time`` when it did for the first time, ``attempts`` how often. ``source`` is who
    published it, ``exchange`` and ``queue`` are where it was; ``replayed_by`` is who replayed it
    last. What is not known is None.
    """

    key: str
    event_id: str | None
    kind: str
    message: str
    workflows: tuple[str, ...]
    source: str | None
    exchange: str | None
    queue: str | None
    time: datetime | None
    first_time: datetime | None
    attempts: int
    version: str | None
    replayed_by: str | None
    replayed_time: datetime | None
    body: bytes
    properties: Mapping[str, Any]
    headers: Mapping[str, Any]


def read_letter(message: AbstractIncomingMessage, router_queue: str) -> DeadLetter:
    """Return what ``message``, from the queue of dead letters, says of itself.

    The reason is the router's, or where RabbitMQ itself took it from ``router_queue``, RabbitMQ's:
    a publisher can have put headers of our names into such a message, and none of RabbitMQ's about
    that queue into one of the router's.
    """
    headers = message.headers
    death = _last_death(headers)
    of_router = _text(headers.get(REASON)) is not None and death.get("queue") != router_queue
    death_reason = _text(death.get("reason")) or ""
    if of_router:
        kind = str(headers[REASON])
        said = _text(headers.get(DETAIL)) or ""
    elif death:
        kind, said = _OF_RABBITMQ.get(
            death_reason, (death_reason or UNKNOWN_KIND, "RabbitMQ dead-lettered it")
        )
    else:
        kind, said = UNKNOWN_KIND, "nothing says why it is here"
    queue = _text(headers.get(QUEUE)) if of_router else _text(death.get("queue"))
    exchange = _text(headers.get(EXCHANGE))
    trusted = of_router
    if not of_router and death:
        # It was on its way as an event, and how it came says whether it has a history of ours.
        published_to = _text(death.get("exchange"))
        trusted = queue is not None and published_to == replay_exchange(queue)
        exchange = exchange if trusted else published_to
    history = headers if trusted else {}
    time = _time(headers.get(TIME)) if of_router else _time(death.get("time"))
    return DeadLetter(
        key=message.routing_key or "",
        event_id=message.message_id or _text(headers.get(EVENT_ID)),
        kind=kind,
        message=said,
        workflows=_texts(headers.get(WORKFLOWS)) if of_router else (),
        source=message.user_id or _text(history.get(USER_ID)),
        exchange=exchange,
        queue=queue,
        time=time,
        first_time=_time(history.get(FIRST_TIME)) or time,
        attempts=_count(history.get(ATTEMPTS)) + (not of_router),
        version=_text(headers.get(VERSION)) if of_router else None,
        replayed_by=_text(history.get(REPLAYED_BY)),
        replayed_time=_time(history.get(REPLAYED_TIME)),
        body=message.body,
        properties=_properties(message),
        headers={name: value for name, value in headers.items() if name not in BROKER_HEADERS},
    )


def replayed(
    letter: DeadLetter, *, operator: str, new_id: str, now: datetime | None = None
) -> aio_pika.Message:
    """Return the event that ``letter`` was, with its history in headers.

    ``operator`` is who replays it. ``new_id`` is its id if it has none yet.
    """
    time = (now or datetime.now(UTC)).isoformat(timespec="milliseconds")
    history: dict[str, Any] = {
        FIRST_TIME: letter.first_time and letter.first_time.isoformat(timespec="milliseconds"),
        ATTEMPTS: letter.attempts,
        USER_ID: letter.source,
        EXCHANGE: letter.exchange,
        REPLAYED_BY: operator,
        REPLAYED_TIME: time,
    }
    kept = {
        name: value
        for name, value in letter.headers.items()
        if name not in OUR_HEADERS or name in HISTORY
    }
    event = _event(letter, {**without_deaths_in(letter.queue, kept), **history}, new_id)
    return event if can_be_sent(event) else _event(letter, {**history, LOST: "headers"}, new_id)


def _event(letter: DeadLetter, headers: dict[str, Any], new_id: str) -> aio_pika.Message:
    properties = {
        name: value
        for name, value in letter.properties.items()
        if name not in {"user_id", "message_id", "expiration", "delivery_mode"}
    }
    return aio_pika.Message(
        letter.body,
        headers=headers,
        message_id=letter.event_id or new_id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        **properties,
    )


def _last_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return RabbitMQ's record of the last time it dead-lettered a message, empty if it never did.

    The first in the list is the latest.
    """
    deaths = headers.get(DEATHS)
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    return first if isinstance(first, dict) else {}


def _properties(message: AbstractIncomingMessage) -> dict[str, Any]:
    """Return the AMQP properties that are set, by their names."""
    values: Iterable[tuple[str, Any]] = (
        ("content_type", message.content_type),
        ("content_encoding", message.content_encoding),
        ("delivery_mode", int(message.delivery_mode) if message.delivery_mode else None),
        ("priority", message.priority),
        ("correlation_id", message.correlation_id),
        ("reply_to", message.reply_to),
        ("expiration", message.expiration),
        ("message_id", message.message_id),
        ("timestamp", message.timestamp),
        ("type", message.type),
        ("user_id", message.user_id),
        ("app_id", message.app_id),
    )
    return {name: value for name, value in values if value not in (None, "")}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
