"""What has to hold before dead letters are read: nobody else reads, and reading loses none."""

from __future__ import annotations

import asyncio
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.exceptions import ChannelLockedResource

from hatchet_router.errors import BrokerError
from hatchet_router.topology import Topology

__all__ = ["become_reader", "letters_waiting"]

_WAIT_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.05


async def become_reader(connection: AbstractConnection, queue: str) -> None:
    """Make ``connection`` the only reader of ``queue``, for as long as it lives.

    RabbitMQ lets one connection alone have an exclusive queue, ``<queue>.reader``, and deletes it
    when that ends; quorum queues know no exclusive consumers.

    Raises:
        BrokerError: another one reads, or RabbitMQ does not let us.

    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + _WAIT_SECONDS
    while True:
        channel = connection.channel(publisher_confirms=False)
        await channel.initialize()
        try:
            await channel.declare_queue(f"{queue}.reader", exclusive=True)
        except ChannelLockedResource:
            if clock() > deadline:
                raise BrokerError(
                    "another `hatchet dead` has the letters in hand; try again when it has ended "
                    "(RabbitMQ notices within half a minute if its machine was cut off)"
                ) from None
            await asyncio.sleep(_POLL_SECONDS)
        except ChannelClosed as error:
            raise BrokerError(f"RabbitMQ did not let us read dead letters: {error}") from error
        else:
            return


async def letters_waiting(channel: AbstractChannel, topology: Topology) -> int:
    """Return how many letters wait, once it is sure that reading does not lose them.

    Raises:
        BrokerError: the queue has other arguments than ours, or RabbitMQ does not let us.

    """
    name = topology.dead_letters
    try:
        await channel.declare_queue(name, passive=True)
        queue = await channel.declare_queue(
            name, durable=True, arguments=topology.dead_letter_arguments
        )
    except ChannelNotFoundEntity:
        return 0
    except ChannelPreconditionFailed as error:
        raise BrokerError(
            f"queue {name!r} was declared with other arguments than ours, so that reading could "
            f"lose letters ({error}); move its letters to another queue (by RabbitMQ's shovel), "
            "delete it, start a router, and move them back"
        ) from error
    except ChannelClosed as error:
        raise BrokerError(f"RabbitMQ did not let us read dead letters: {error}") from error
    return queue.declaration_result.message_count or 0
