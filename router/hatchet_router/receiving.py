"""Taking messages from a queue, as cheaply as aio-pika lets us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from aio_pika import IncomingMessage
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.abc import DeliveredMessage

__all__ = ["OnMessage", "consume"]

OnMessage = Callable[[AbstractIncomingMessage], Awaitable[Any]]


async def consume(channel: AbstractChannel, queue: str, on_message: OnMessage) -> str:
    """Let ``on_message`` have each message in a task of its own; return the consumer's tag.

    aio-pika's `Queue.consume` does the same with a second task for each message.
    """
    underlay = await channel.get_underlay_channel()
    consuming = await underlay.basic_consume(queue, partial(_take, on_message))
    if consuming.consumer_tag is None:
        raise ConnectionError("the broker has named no consumer")
    return consuming.consumer_tag


async def _take(on_message: OnMessage, delivered: DeliveredMessage) -> None:
    await on_message(_Received(delivered))


class _Received(IncomingMessage):
    """A message without aio-pika's check, at each of 26 fields, of whether it is locked.

    That is three quarters of the time that making one takes.
    """

    __slots__ = ()

    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__
