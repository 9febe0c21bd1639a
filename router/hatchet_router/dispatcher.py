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
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, decode
from hatchet_router.deliveries import Delivery, Rejection
from hatchet_router.errors import (
    BrokerError,
    BrokerUnreachable,
    EventRefused,
    EventUnroutable,
    InvalidEvent,
)
from hatchet_router.settings import RouterSettings
from hatchet_router.spans import publishing
from hatchet_schemas import SchemaError
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
    long, in seconds, `trigger` goes on trying while RabbitMQ is away.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        exchange: str = EVENTS_EXCHANGE,
        timeout: float = 30.0,
    ) -> None:
        self._url = url or RouterSettings().amqp_url
        self._exchange = exchange
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: AbstractConnection | None = None
        self._channel = ConfirmingChannel(self._open_channel)

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
    ) -> str:
        """Publish an event and return its id once RabbitMQ has stored it.

        ``data`` is anything that is a JSON object; dates, UUIDs and pydantic models inside become
        JSON too. An event with the ``id`` of an earlier one starts nothing again, so an id from
        your own data (an order's number) makes a repeated call harmless; without one the event
        gets a new id. ``time`` is when it happened, now if not given. In a program that uses
        OpenTelemetry the event continues the current trace.

        Raises:
            InvalidEvent: the key or the data cannot be published.
            EventUnroutable: no queue is bound for the key, so that the event would vanish.
            EventRefused: RabbitMQ did not store the event.
            BrokerUnreachable: RabbitMQ was away for the whole timeout.
            BrokerError: the exchange does not exist.

        """
        message = _message(key, data, id or uuid.uuid4().hex, time or datetime.now(UTC))
        event_id = str(message.message_id)
        self._begin_on_running_loop()
        with publishing(message, self._exchange, key):
            await self._publish_until_stored(key, message, event_id)
        return event_id

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
        if self._connection is None or not self._connection.connected.is_set():
            await self.close()
            self._connection = await connect(self._url, "hatchet-dispatcher")
        channel = await open_channel(self._connection, confirms=True)
        await channel.get_exchange(self._exchange, ensure=True)
        return channel


def _message(key: str, data: Mapping[str, Any], event_id: str, time: datetime) -> aio_pika.Message:
    try:
        check_pattern(key)
    except SchemaError as error:
        raise InvalidEvent(str(error)) from None
    if is_pattern(key):
        raise InvalidEvent(f"{key!r} is a pattern; an event has one key, without * and #")
    try:
        id_bytes = len(event_id.encode())
    except UnicodeEncodeError:
        raise InvalidEvent(f"event id {event_id!r} holds half of a surrogate pair") from None
    if id_bytes > 255:  # noqa: PLR2004 - AMQP 0-9-1's short string
        raise InvalidEvent("an event id has at most 255 bytes")
    if time.tzinfo is None or int(time.timestamp()) not in _TIMESTAMP_SECONDS:
        raise InvalidEvent(
            f"the time {time.isoformat()} cannot be sent: expected one with a time zone, "
            "from 1970 to 2106"
        )
    try:
        body = json.dumps(
            to_jsonable_python(dict(data)), ensure_ascii=False, allow_nan=False
        ).encode()
    except (ValueError, TypeError, PydanticSerializationError) as error:
        raise InvalidEvent(f"the data of event {key!r} is not JSON: {error}") from None
    if len(body) > DEFAULT_MAX_BODY_BYTES:
        raise InvalidEvent(
            f"the data of event {key!r} has {len(body):,} bytes as JSON, "
            f"at most {DEFAULT_MAX_BODY_BYTES:,} are accepted; put large data elsewhere "
            "and send its address"
        )
    # What the router would not take is refused here, where somebody can mend it.
    read = decode(Delivery(body, key, event_id))
    if isinstance(read, Rejection):
        raise InvalidEvent(f"the data of event {key!r} cannot be sent: {read.message}")
    return aio_pika.Message(
        body,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event_id,
        timestamp=time,
    )
