"""What has to hold before dead letters are read: nobody else reads, and reading loses none."""

from __future__ import annotations

from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed

from hatchet_router.errors import BrokerError
from hatchet_router.locks import locked
from hatchet_router.topology import Topology

__all__ = ["become_reader", "letters_waiting"]

_WAIT_SECONDS: Final = 3.0


async def become_reader(connection: AbstractConnection, queue: str) -> None:
    """Make ``connection`` the only reader of ``queue``, for as long as it lives.

    The lock is called ``<queue>.reader``; quorum queues know no exclusive consumers.

    Raises:
        BrokerError: another one reads, or RabbitMQ does not let us.

    """
    try:
        await locked(connection, f"{queue}.reader", seconds=_WAIT_SECONDS)
    except TimeoutError:
        raise BrokerError(
            "another `hatchet dead` has the letters in hand; try again when it has ended "
            "(RabbitMQ notices within half a minute if its machine was cut off)"
        ) from None
    except ChannelClosed as error:
        raise BrokerError(f"RabbitMQ did not let us read dead letters: {error}") from error


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
