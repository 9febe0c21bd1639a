"""A lock on the broker: an exclusive queue, which RabbitMQ gives to one connection at a time."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelLockedResource

from hatchet_router.amqp import open_channel

__all__ = ["locked"]

_POLL_SECONDS: Final = 0.05


async def locked(
    connection: AbstractConnection, name: str, *, seconds: float, confirms: bool = False
) -> AbstractChannel:
    """Declare the exclusive queue ``name``; return a channel of the connection that now has it.

    It is unlocked by deleting the queue, and by whatever ends the connection.

    Raises:
        TimeoutError: another connection has had it for so many ``seconds``.
        ChannelClosed: RabbitMQ does not let us.
        ConnectionError: and the others of `CONNECTION_ERRORS`: the connection was lost.

    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        channel = await open_channel(connection, confirms=confirms)
        try:
            await channel.declare_queue(name, exclusive=True)
        except ChannelLockedResource:
            if clock() > deadline:
                raise TimeoutError(f"{name!r} is another's for {seconds:g} s") from None
            await asyncio.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        else:
            return channel
