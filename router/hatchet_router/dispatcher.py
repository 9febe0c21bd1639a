"""Publishing events: the sending end of the bus."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from hatchet_router.amqp import CONNECTION_ERRORS, connect, open_channel
from hatchet_router.cloud_events import as_headers
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, MAX_ID_BYTES, decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.errors import (
    BrokerError,
    BrokerUnreachable,
    EventRefused,
    EventUnroutable,
    InvalidEvent,
)
from hatchet_router.hops import HOPS
from hatchet_router.preparing import preparing
from hatchet_router.settings import RouterSettings
from hatchet_router.spans import publishing
from hatchet_schemas import SchemaError
from hatchet_schemas.events import MAX_HOPS
from hatchet_schemas.names import EVENTS_EXCHANGE
from hatchet_schemas.patterns import check_pattern, is_pattern

__all__ = ["Dispatcher"]

_CONFIRM_SECONDS: Final = 5.0
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0
_TIMESTAMP_SECONDS: Final = range(2**32)  # what AMQP clients read as seconds, not milliseconds


class Dispatcher:
    """Publishes events, and returns when RabbitMQ has taken each of them.

    One Dispatcher serves a whole process; it connects at the first event and reconnects by itself.

        async with Dispatcher() as dispatcher:
            await dispatcher.trigger("user:create", {"username": "ada"})

    ``url`` is ``amqp[s]://user:password@host:port/vhost``; without one it is taken from
    ``HATCHET_AMQP_URL`` (or ``AMQP_URL``, ``RABBITMQ_URL``, ``CLOUDAMQP_URL``). ``timeout`` is how
    long, in seconds, `trigger` goes on trying while RabbitMQ is away. ``max_body_bytes`` is what
    the routers accept, their ``HATCHET_MAX_BODY_BYTES``.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        exchange: str = EVENTS_EXCHANGE,
        timeout: float = 30.0,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self._url = url or RouterSettings().broker_url
        self._exchange = exchange
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: AbstractConnection | None = None
        self._connecting = asyncio.Lock()
        self._channel = ConfirmingChannel(self._open_channel)

    @classmethod
    def of(cls, settings: RouterSettings, *, timeout: float = 30.0) -> Self:
        """Return one that publishes where the routers of ``settings`` listen, what they accept."""
        return cls(
            settings.broker_url,
            exchange=settings.exchange,
            timeout=timeout,
            max_body_bytes=settings.max_body_bytes,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def trigger(
        self,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - the event's field of this name
        time: datetime | None = None,
        source: str | None = None,
        hops: int = 0,
    ) -> str:
        """Publish an event and return its id once RabbitMQ has stored it.

        ``data`` is anything that is a JSON object; dates, UUIDs and pydantic models inside become
        JSON too. An event with the ``id`` of an earlier one starts nothing again, so an id from
        your own data (an order's number) makes a repeated call harmless; without one the event
        gets a new id. ``time`` is when it happened, now if not given. Events of different
        ``source``, a URI or a path, may have the same ids. ``hops`` is how many steps led to it;
        `hatchet_worker.integrations.event` counts them, against loops. In a
        program that uses OpenTelemetry the event continues the current trace.

        Raises:
            InvalidEvent: the key or the data cannot be published.
            EventUnroutable: no queue is bound for the key, so that the event would vanish.
            EventRefused: RabbitMQ did not store the event.
            BrokerUnreachable: RabbitMQ was away for the whole timeout.
            BrokerError: the exchange does not exist.

        """
        message = _message(
            key,
            data,
            id or uuid.uuid4().hex,
            time or datetime.now(UTC),
            source=source,
            hops=hops,
            max_body_bytes=self._max_body_bytes,
        )
        event_id = str(message.message_id)
        self._begin_on_running_loop()
        with publishing(message, self._exchange, key):
            await self._publish_until_stored(key, message, event_id)
        return event_id

    async def has_queue(self, name: str) -> bool:
        """Return whether RabbitMQ has a queue of that name.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: it does not tell us.

        """
        self._begin_on_running_loop()
        try:
            # It closes a channel that asks for what there is not: one of its own.
            async with asyncio.timeout(self._timeout), preparing(await self._connected()) as asking:
                try:
                    await asking.declare_queue(name, passive=True)
                except ChannelNotFoundEntity:
                    return False
        except OSError as error:
            if isinstance(error, BrokerUnreachable):
                raise
            raise BrokerUnreachable(self._url, f"it does not answer ({error!r})") from error
        return True

    async def close(self) -> None:
        """Close the connection; the next event would open it again."""
        self._begin_on_running_loop()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _begin_on_running_loop(self) -> None:
        """Forget the connection of an event loop that has ended, as `asyncio.run` leaves it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._connection = loop, None
            self._connecting = asyncio.Lock()
            self._channel = ConfirmingChannel(self._open_channel)

    async def _publish_until_stored(
        self, key: str, message: aio_pika.Message, event_id: str
    ) -> None:
        """Publish; after a lost connection again, under the same id, until the time is up."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        wait_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                await self._publish(key, message, event_id, deadline - clock())
            except BrokerUnreachable:
                if clock() + wait_seconds > deadline:
                    raise
            except CONNECTION_ERRORS as error:
                if clock() + wait_seconds > deadline:
                    raise BrokerUnreachable(
                        self._url, f"it did not take the event in {self._timeout:g} s ({error!r})"
                    ) from error
            else:
                return
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)

    async def _publish(
        self, key: str, message: aio_pika.Message, event_id: str, seconds: float
    ) -> None:
        try:
            # aio-pika's own timeout does not cover waiting for a connection to come back.
            async with asyncio.timeout(min(_CONFIRM_SECONDS + 1, seconds)):
                await self._channel.publish(message, self._exchange, key, seconds=_CONFIRM_SECONDS)
        except PublishError:
            raise EventUnroutable(key, event_id) from None
        except DeliveryError:
            raise EventRefused(key, event_id, "the broker answered with basic.nack") from None
        except ChannelNotFoundEntity as error:
            raise BrokerError(
                f"exchange {self._exchange!r} does not exist; a router declares it when it starts"
            ) from error

    async def _open_channel(self) -> AbstractChannel:
        channel = await open_channel(await self._connected(), confirms=True)
        await channel.get_exchange(self._exchange, ensure=True)
        return channel

    async def _connected(self) -> AbstractConnection:
        async with self._connecting:
            if self._connection is None or not self._connection.connected.is_set():
                await self.close()
                self._connection = await connect(self._url, "hatchet-dispatcher")
            return self._connection


def _message(
    key: str,
    data: Mapping[str, Any],
    event_id: str,
    time: datetime,
    *,
    source: str | None = None,
    hops: int = 0,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
) -> aio_pika.Message:
    _check(key, event_id, source or "", time, hops)
    body = _body(key, data, max_body_bytes)
    # What the router would not take is refused here, where somebody can mend it.
    headers: dict[str, Any] = {} if source is None else as_headers(event_id, source, key, time)
    if hops:
        headers[HOPS] = hops
    read = decode(Delivery(body, key, event_id, headers=headers), max_body_bytes=max_body_bytes)
    if isinstance(read, Rejection):
        raise InvalidEvent(f"the data of event {key!r} cannot be sent: {read.message}")
    return aio_pika.Message(
        body,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        headers=headers,
        message_id=event_id,
        timestamp=time,
    )


def _check(key: str, event_id: str, source: str, time: datetime, hops: int) -> None:
    try:
        check_pattern(key)
    except SchemaError as error:
        raise InvalidEvent(str(error)) from None
    if is_pattern(key):
        raise InvalidEvent(f"{key!r} is a pattern; an event has one key, without * and #")
    for what, text in (("event id", event_id), ("source", source)):
        if not _is_unicode(text):
            raise InvalidEvent(f"{what} {text!r} holds half of a surrogate pair")
    if len(event_id.encode()) > MAX_ID_BYTES:
        raise InvalidEvent(f"an event id has at most {MAX_ID_BYTES} bytes")
    if time.tzinfo is None or int(time.timestamp()) not in _TIMESTAMP_SECONDS:
        raise InvalidEvent(
            f"the time {time.isoformat()} cannot be sent: expected one with a time zone, "
            "from 1970 to 2106"
        )
    if hops not in range(MAX_HOPS + 1):
        raise InvalidEvent(f"{hops!r} hops cannot be sent: expected 0 to {MAX_HOPS}")


def _body(key: str, data: Mapping[str, Any], max_bytes: int) -> bytes:
    try:
        body = json.dumps(
            to_jsonable_python(dict(data)),
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        ).encode()
    except (ValueError, TypeError, PydanticSerializationError) as error:
        raise InvalidEvent(f"the data of event {key!r} is not JSON: {error}") from None
    if len(body) > max_bytes:
        raise InvalidEvent(
            f"the data of event {key!r} has {len(body):,} bytes as JSON, "
            f"at most {max_bytes:,} are accepted; put large data elsewhere "
            "and send its address"
        )
    return body


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
