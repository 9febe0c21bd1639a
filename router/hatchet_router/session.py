"""One life of the router's connections to RabbitMQ: from declaring until something is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, connected
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.errors import BrokerError
from hatchet_router.replays import declare_replay
from hatchet_router.topology import Topology
from hatchet_router.undecodable import tolerate_undecodable

__all__ = ["Session"]

_DECLARE_SECONDS: Final = 10.0
_PUBLISH_SECONDS: Final = 5.0
_ACKNOWLEDGED_SECONDS: Final = 1.0
_ACKNOWLEDGED_POLL_SECONDS: Final = 0.01

OnMessage = Callable[[AbstractIncomingMessage], Awaitable[Any]]


class Session:
    """Two connections, a channel that consumes, and what must exist on the broker.

    It never mends itself: whatever is lost sets ``ended``, and a new one is opened. So a message is
    acknowledged on the channel that delivered it, or not at all. Leaving the ``async with`` ends
    the handlers under way, and gives their messages back.
    """

    def __init__(self, url: str, topology: Topology, bindings: tuple[str, ...]) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._url = url
        self._topology = topology
        self._bindings = bindings
        self._closing = AsyncExitStack()
        self._publishing: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._letters = ConfirmingChannel(self._open_letters_channel)
        self._queue: AbstractQueue | None = None
        self._consumer_tag: str | None = None
        self._changing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect and declare.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: it has other things under our names, or does not let us.

        """
        tolerate_undecodable()
        try:
            consuming = await self._connected("hatchet-router")
            # A broker under memory alarm stalls publishers, and would stall consuming with them.
            self._publishing = await self._connected("hatchet-router-dead-letters")
            await self.declare()
            await self._letters.channel()
            self._channel = consuming.channel(publisher_confirms=False)
            await self._channel.initialize()
            self._channel.close_callbacks.add(self._on_closed)
            underlay = await self._channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(self._on_cancelled)
            self._queue = await self._channel.get_queue(self._topology.queue, ensure=False)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close both connections, within a bounded time even if the broker is frozen."""
        self._end("closed")
        await self._closing.aclose()

    async def declare(self) -> None:
        """Declare exchanges, queues and bindings; what is there already stays as it is.

        Raises:
            BrokerError: something of our names has other arguments, or is not ours to declare.
            ConnectionError: the connection was lost meanwhile.

        """
        if self._publishing is None:
            raise ConnectionError("not connected")
        try:
            async with asyncio.timeout(_DECLARE_SECONDS):
                with closing_is_an_error():
                    # A channel of its own: the broker closes it at the first thing it refuses.
                    channel = self._publishing.channel(publisher_confirms=False)
                    await channel.initialize()
                    try:
                        await self._declare_on(channel)
                    finally:
                        if not channel.is_closed:
                            await channel.close()
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
        except CONNECTION_ERRORS as error:
            if isinstance(error, AMQPError) and not isinstance(error, ConnectionError):
                raise BrokerError(
                    f"RabbitMQ did not let the router prepare its queues: {error}"
                ) from error
            raise ConnectionError(f"while declaring: {error!r}") from error

    async def consume(self, prefetch: int, on_message: OnMessage) -> None:
        """Take messages, at most ``prefetch`` at once, instead of as before."""
        async with self._changing:
            channel, queue = self._opened()
            with closing_is_an_error():
                await self._cancel(queue)
                # What is set holds for the consumers that come after it on this channel.
                await channel.set_qos(prefetch_count=prefetch)
                self._consumer_tag = await queue.consume(on_message)

    async def stop_consuming(self) -> None:
        """Take no more messages; those taken can still be acknowledged."""
        async with self._changing:
            _, queue = self._opened()
            with closing_is_an_error():
                await self._cancel(queue)

    async def publish_dead_letter(self, letter: aio_pika.Message, routing_key: str) -> None:
        """Return when the broker has stored ``letter`` in the queue of dead letters.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: it was not stored, or nobody
                knows.

        """
        # aio-pika's own timeout does not cover waiting for a channel.
        async with asyncio.timeout(_PUBLISH_SECONDS + 1):
            await self._letters.publish(
                letter, self._topology.dead_letters, routing_key, seconds=_PUBLISH_SECONDS
            )

    async def consumers(self) -> int:
        """Return how many consumers the queue has, ours included."""
        channel, _ = self._opened()
        with closing_is_an_error():
            declared = await channel.declare_queue(self._topology.queue, passive=True)
        return declared.declaration_result.consumer_count or 0

    async def acknowledged(self, consumers: int) -> None:
        """Wait until fewer than ``consumers`` are left: ours goes when its last message is settled.

        A quorum queue that is busy keeps acknowledgements back for a moment. When the channel
        closes before, it forgets them and delivers the messages again. Where other routers come
        and go meanwhile, the count says less, and no harm is done.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
                while await self.consumers() >= consumers:  # noqa: ASYNC110 - the broker tells only when asked
                    await asyncio.sleep(_ACKNOWLEDGED_POLL_SECONDS)

    async def _open_letters_channel(self) -> AbstractChannel:
        if self._publishing is None or self._publishing.is_closed:
            raise ConnectionError("the connection was closed")
        channel = self._publishing.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize()
        return channel

    async def _declare_on(self, channel: AbstractChannel) -> None:
        topology = self._topology
        dead_letters = await channel.declare_exchange(
            topology.dead_letters, aio_pika.ExchangeType.FANOUT, durable=True
        )
        letters = await channel.declare_queue(
            topology.dead_letters, durable=True, arguments=topology.dead_letter_arguments
        )
        await letters.bind(dead_letters)
        await channel.declare_exchange(topology.exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(
            topology.queue, durable=True, arguments=topology.queue_arguments
        )
        for exchange in (topology.exchange, *topology.more_exchanges):
            for key in self._bindings:
                await queue.bind(exchange, routing_key=key)
        await declare_replay(channel, topology.queue)

    async def _connected(self, name: str) -> AbstractConnection:
        connection = await self._closing.enter_async_context(connected(self._url, name))
        connection.close_callbacks.add(self._on_closed)
        return connection

    def _opened(self) -> tuple[AbstractChannel, AbstractQueue]:
        if self._channel is None or self._queue is None or self.ended.done():
            raise ConnectionError("the connection was closed")
        return self._channel, self._queue

    async def _cancel(self, queue: AbstractQueue) -> None:
        tag, self._consumer_tag = self._consumer_tag, None
        if tag is not None:
            await queue.cancel(tag)

    def _on_closed(self, _what: Any, error: BaseException | None) -> None:
        self._end(str(error) if error else "the connection was closed")

    def _on_cancelled(self, _frame: Any) -> None:
        self._end("the broker cancelled the consumer: was the queue deleted?")

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
