"""Publishing with confirms, also after RabbitMQ has refused something."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from weakref import WeakValueDictionary

from aio_pika.abc import AbstractChannel, AbstractMessage
from aio_pika.exceptions import DeliveryError, PublishError

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error

__all__ = ["ConfirmingChannel"]


class ConfirmingChannel:
    """Publishes on one channel, until RabbitMQ refuses something there, and then on a new one.

    A channel that was refused by a full quorum queue once is refused for ever, also when the policy
    that limited the queue is gone (measured with 3.10). The old one is closed as soon as nothing
    waits for its confirm any more. ``opened`` opens a channel with confirms.
    """

    def __init__(self, opened: Callable[[], Awaitable[AbstractChannel]]) -> None:
        self._opened = opened
        self._opening = asyncio.Lock()
        self._channel: AbstractChannel | None = None
        self._in_flight: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: Counter[AbstractChannel] = Counter()

    async def channel(self) -> AbstractChannel:
        """Return the channel of now; RabbitMQ closes it at what it does not accept."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._opened()
            return self._channel

    async def publish(
        self, message: AbstractMessage, exchange: str, routing_key: str, *, seconds: float
    ) -> None:
        """Return when RabbitMQ has stored ``message``; ``seconds`` bounds the wait for that.

        Raises:
            PublishError: no queue is bound for it.
            DeliveryError: RabbitMQ did not store it.
            ConnectionError: and the others of `CONNECTION_ERRORS`: nobody knows.

        """
        # aio-pika tells confirms apart by message id: two in flight with one id could swap them.
        lock = self._in_flight.setdefault(message.message_id or "", asyncio.Lock())
        async with lock if message.message_id else nullcontext():
            await self._publish(message, exchange, routing_key, seconds)

    async def _publish(
        self, message: AbstractMessage, exchange: str, routing_key: str, seconds: float
    ) -> None:
        with closing_is_an_error():
            channel = await self.channel()
            self._waiting[channel] += 1
            try:
                target = await channel.get_exchange(exchange, ensure=False)
                await target.publish(
                    message, routing_key=routing_key, mandatory=True, timeout=seconds
                )
            except PublishError:
                raise
            except DeliveryError:
                if self._channel is channel:
                    self._channel = None
                raise
            finally:
                self._waiting[channel] -= 1
                await self._close_if_done(channel)

    async def _close_if_done(self, channel: AbstractChannel) -> None:
        if not self._waiting[channel]:
            del self._waiting[channel]
            if channel is not self._channel and not channel.is_closed:
                with suppress(*CONNECTION_ERRORS):
                    await channel.close()
