"""Replaying dead letters: events go back into the router's queue, and nowhere else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from aio_pika import ExchangeType, Message
from aio_pika.abc import AbstractChannel, AbstractExchange
from aio_pika.exceptions import (
    ChannelClosed,
    ChannelNotFoundEntity,
    DeliveryError,
    PublishError,
)

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, connected, open_channel
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.errors import BrokerError, BrokerUnreachable
from hatchet_router.letters import DeadLetter, replayed
from hatchet_router.topology import Topology, replay_exchange
from hatchet_router.undecodable import EscapedText

__all__ = ["Replay", "Replayer", "declare_replay"]

_PUBLISH_SECONDS: Final = 5.0


async def declare_replay(channel: AbstractChannel, queue: str) -> AbstractExchange:
    """Return the exchange that leads to the router's ``queue`` alone, under any routing key.

    It vanishes with the queue.
    """
    exchange = await channel.declare_exchange(
        replay_exchange(queue), ExchangeType.TOPIC, durable=True, auto_delete=True
    )
    await (await channel.get_queue(queue, ensure=True)).bind(exchange, "#")
    return exchange


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a replay: the event's id, and why it failed if it did."""

    letter: DeadLetter
    event_id: str
    failure: str | None = None


class Replayer:
    """Publishes the events of dead letters again; ``operator`` is who does it.

    They keep key, body, properties and id, so that a job that was started already does not start
    again; an event without an id gets one. The letters themselves are the caller's to remove, once
    their events are stored.
    """

    def __init__(self, url: str, topology: Topology, operator: str) -> None:
        self._url = url
        self._queue = topology.queue
        self._operator = operator
        self._closing = AsyncExitStack()
        self._channel: ConfirmingChannel | None = None

    async def __aenter__(self) -> Self:
        """Return at once: nothing is opened before something is replayed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    async def replay(self, letters: Iterable[DeadLetter]) -> list[Replay]:
        """Publish the events of ``letters``; those without a failure are stored by RabbitMQ.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: the router's queue does not exist, or RabbitMQ does not let us.

        """
        channel = await self._opened()
        exchange = replay_exchange(self._queue)

        async def one(letter: DeadLetter) -> Replay:
            event = replayed(letter, operator=self._operator, new_id=uuid.uuid4().hex)
            failure = await _failure(channel, exchange, event, letter.key)
            return Replay(letter, str(event.message_id), failure)

        return await asyncio.gather(*(one(letter) for letter in letters))

    async def _opened(self) -> ConfirmingChannel:
        if self._channel is None:
            # Not the connection that reads: a broker under memory alarm stalls who publishes.
            connection = await self._closing.enter_async_context(
                connected(self._url, "hatchet-dead-replay")
            )
            try:
                with closing_is_an_error():
                    channel = ConfirmingChannel(lambda: open_channel(connection, confirms=True))
                    await declare_replay(await channel.channel(), self._queue)
                    self._channel = channel
            except ChannelNotFoundEntity as error:
                raise BrokerError(
                    f"queue {self._queue!r} does not exist: start a router, or set HATCHET_QUEUE"
                ) from error
            except ChannelClosed as error:
                raise BrokerError(f"RabbitMQ did not let us replay: {error}") from error
            except CONNECTION_ERRORS as error:
                raise BrokerUnreachable(self._url, f"before replaying: {error!r}") from error
        return self._channel


async def _failure(
    channel: ConfirmingChannel, exchange: str, event: Message, key: str
) -> str | None:
    """Publish ``event``; return None once RabbitMQ has stored it, or why it has not."""
    if isinstance(key, EscapedText):
        return f"its routing key is not UTF-8: {key!r}"
    try:
        async with asyncio.timeout(_PUBLISH_SECONDS + 1):
            await channel.publish(event, exchange, key, seconds=_PUBLISH_SECONDS)
    except PublishError:
        return f"no queue is bound to exchange {exchange!r}; start a router"
    except DeliveryError:
        return "RabbitMQ did not store it"
    except CONNECTION_ERRORS as error:
        return f"RabbitMQ did not confirm it ({error!r}), and may have stored it all the same"
    return None
