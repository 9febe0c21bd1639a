"""The router's side of RabbitMQ: declare, consume, acknowledge, dead-letter."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
import structlog
from aio_pika.abc import (
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractRobustChannel,
    AbstractRobustConnection,
    AbstractRobustQueue,
)
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed
from pamqp.header import ContentHeader

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, connect
from hatchet_router.bindings import binding_keys
from hatchet_router.deliveries import Delivery, Outcome, Rejection
from hatchet_router.errors import BrokerError
from hatchet_router.topology import Topology

__all__ = ["Consumer"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_PUBLISH_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0
_ACKNOWLEDGED_SECONDS: Final = 1.0
_ACKNOWLEDGED_POLL_SECONDS: Final = 0.01
# A message's properties travel in one frame, whose limit is 131,072 bytes where none is configured;
# a larger one ends the connection.
_MAX_PROPERTIES_BYTES: Final = 128_000
_VERSION: Final = version("hatchet-workflows")

Handler = Callable[[Delivery], Awaitable[Outcome]]


class Consumer:
    """Takes deliveries from the router's queue and gives each to ``handle``.

    A delivery is acknowledged after ``handle`` has returned, and dead-lettered first if it was
    rejected. What is in hand when the connection is lost comes back from RabbitMQ. ``prefetch`` is
    how many deliveries are in hand at once.

    Used as ``async with``: entering declares everything and begins to consume; leaving stops
    taking, finishes what is in hand within ``grace_seconds``, and closes.
    """

    def __init__(
        self,
        url: str,
        topology: Topology,
        triggers: Iterable[str],
        handle: Handler,
        *,
        prefetch: int = 64,
        grace_seconds: float = 20.0,
    ) -> None:
        self._url = url
        self._topology = topology
        self._bindings = binding_keys(triggers)
        self._handle = handle
        self._prefetch = prefetch
        self._grace_seconds = grace_seconds
        self._connections: list[AbstractRobustConnection] = []
        self._queue: AbstractRobustQueue | None = None
        self._consumer_tag: str | None = None
        self._dead_letters: AbstractExchange | None = None
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._drain()
        finally:
            await self._close()

    async def _open(self) -> None:
        consuming = await self._connected("hatchet-router")
        channel = await consuming.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=self._prefetch)
        # A broker under memory alarm stalls publishers, and would stall consuming with them.
        publishing = await self._connected("hatchet-router-dead-letters")
        dead_letter_channel = await publishing.channel(
            publisher_confirms=True, on_return_raises=True
        )
        try:
            self._dead_letters = await self._declare_dead_letters(dead_letter_channel)
            self._queue = await self._declare_queue(channel)
        except ChannelPreconditionFailed as error:
            raise BrokerError(
                "an exchange or queue exists on the broker with other arguments than ours "
                f"({error}); delete it there once it is empty, or choose another name "
                "with HATCHET_QUEUE"
            ) from error
        except ChannelNotFoundEntity as error:
            raise BrokerError(
                f"{error}; exchanges named in HATCHET_MORE_EXCHANGES must exist"
            ) from error
        except AMQPError as error:
            raise BrokerError(f"RabbitMQ did not let the router prepare its queues: {error}") from (
                error
            )
        self._consumer_tag = await self._queue.consume(self._on_message)

    async def _connected(self, name: str) -> AbstractRobustConnection:
        connection = await connect(self._url, name)
        self._connections.append(connection)
        connection.reconnect_callbacks.add(_log_reconnected)
        connection.close_callbacks.add(_log_lost)
        return connection

    async def _declare_dead_letters(self, channel: Any) -> AbstractExchange:
        name = self._topology.dead_letters
        exchange: AbstractExchange = await channel.declare_exchange(
            name, aio_pika.ExchangeType.FANOUT, durable=True
        )
        queue = await channel.declare_queue(
            name, durable=True, arguments=self._topology.dead_letter_arguments
        )
        await queue.bind(exchange)
        return exchange

    async def _declare_queue(self, channel: AbstractRobustChannel) -> AbstractRobustQueue:
        topology = self._topology
        await channel.declare_exchange(topology.exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(
            topology.queue, durable=True, arguments=topology.queue_arguments
        )
        for exchange in (topology.exchange, *topology.more_exchanges):
            for key in self._bindings:
                await queue.bind(exchange, routing_key=key)
        return queue

    async def _drain(self) -> None:
        """Stop taking, and wait for what is in hand."""
        consuming = self._connections[0]
        if self._queue is None or self._consumer_tag is None or not consuming.connected.is_set():
            return  # what was in hand went with the connection
        try:
            async with asyncio.timeout(self._grace_seconds):
                consumers = (await self._queue.declare()).consumer_count or 0
                await self._queue.cancel(self._consumer_tag)
                await self._idle.wait()
                await _acknowledged(self._queue, consumers)
        except CONNECTION_ERRORS:
            _log.warning("router.drain_incomplete", in_hand=self._in_hand)

    async def _close(self) -> None:
        # Closing the first cancels the handlers, which may want to publish on the second.
        for connection in self._connections:
            connection.close_callbacks.discard(_log_lost)
            await connection.close()
        self._connections.clear()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        self._in_hand += 1
        self._idle.clear()
        try:
            await self._settle(message)
        except CONNECTION_ERRORS as error:
            # Its channel is gone, and RabbitMQ delivers it again; ids make that harmless.
            _log.warning(
                "event.to_be_redelivered", event_key=message.routing_key, reason=str(error)
            )
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def _settle(self, message: AbstractIncomingMessage) -> None:
        try:
            outcome = await self._handle(_delivery(message))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the event is kept, we live on
            _log.exception("event.failed", event_key=message.routing_key)
            outcome = Rejection("router-error", f"{type(error).__name__}: {error}")
        if isinstance(outcome, Rejection):
            await self._dead_letter(message, outcome)
        await message.ack()

    async def _dead_letter(self, message: AbstractIncomingMessage, rejection: Rejection) -> None:
        """Store ``message`` with the reason; goes on trying until the broker has it."""
        if self._dead_letters is None:
            raise RuntimeError("not connected")
        letter = _dead_letter(message, rejection)
        while True:
            try:
                async with asyncio.timeout(_PUBLISH_SECONDS + 1):
                    with closing_is_an_error():
                        await self._dead_letters.publish(
                            letter,
                            routing_key=message.routing_key or "",
                            mandatory=True,
                            timeout=_PUBLISH_SECONDS,
                        )
                break
            except CONNECTION_ERRORS as error:
                _log.warning("dead_letter.delayed", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
        _log.warning(
            "event.dead_lettered",
            event_key=message.routing_key,
            event_id=rejection.event_id,
            reason=rejection.kind,
            detail=rejection.message,
        )


async def _acknowledged(queue: AbstractRobustQueue, consumers: int) -> None:
    """Wait until fewer than ``consumers`` are left: ours goes when its last message is settled.

    A quorum queue that is busy keeps acknowledgements back for a moment. When the channel closes
    before, it forgets them and delivers the messages again. Where other routers come and go
    meanwhile, the count says less, and no harm is done.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
            while ((await queue.declare()).consumer_count or 0) >= consumers:  # noqa: ASYNC110 - the broker tells only when asked
                await asyncio.sleep(_ACKNOWLEDGED_POLL_SECONDS)


def _delivery(message: AbstractIncomingMessage) -> Delivery:
    return Delivery(
        body=message.body,
        routing_key=message.routing_key or "",
        message_id=message.message_id or None,
        timestamp=message.timestamp,
        user_id=message.user_id or None,
        content_type=message.content_type or None,
        content_encoding=message.content_encoding or None,
        headers=message.headers,
        redelivered=bool(message.redelivered),
    )


def _dead_letter(message: AbstractIncomingMessage, rejection: Rejection) -> aio_pika.Message:
    """Return a message with the body and properties of ``message`` and the reason on top."""
    detail = rejection.message[:1000].encode("utf-8", "backslashreplace").decode()
    reason: dict[str, Any] = {
        "hatchet-reason": rejection.kind,
        "hatchet-detail": detail,
        "hatchet-time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "hatchet-version": _VERSION,
        # RabbitMQ lets us set the property of this name for our own user only.
        "hatchet-user-id": message.user_id,
    }
    letter = _letter(message, {**message.headers, **reason})
    if _can_be_sent(letter):
        return letter
    return _letter(message, {**reason, "hatchet-lost": "headers"})


def _letter(message: AbstractIncomingMessage, headers: Mapping[str, Any]) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=dict(headers),
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        priority=message.priority,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        message_id=message.message_id,
        timestamp=message.timestamp,
        type=message.type,
        app_id=message.app_id,
    )


def _can_be_sent(letter: aio_pika.Message) -> bool:
    try:
        size = len(ContentHeader(properties=letter.properties).marshal())
    except (TypeError, ValueError, struct.error, RecursionError):
        return False  # pamqp reads header values that it cannot write
    return size <= _MAX_PROPERTIES_BYTES


def _log_reconnected(_connection: Any) -> None:
    _log.info("rabbitmq.reconnected")


def _log_lost(_connection: Any, error: BaseException | None) -> None:
    _log.warning("rabbitmq.connection_lost", reason=str(error) if error else "closed")
