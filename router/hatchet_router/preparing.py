"""A channel for preparing the broker, and what its refusals mean to an operator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, open_channel
from hatchet_router.errors import BrokerError

__all__ = ["preparing"]

_SECONDS: Final = 30.0


@asynccontextmanager
async def preparing(connection: AbstractConnection) -> AsyncGenerator[AbstractChannel]:
    """Give a channel of its own: the broker closes it at the first thing it refuses.

    Raises:
        BrokerError: something of our names has other arguments, or is not ours to touch.
        ConnectionError: the connection was lost meanwhile, or it took 30 s.

    """
    try:
        async with asyncio.timeout(_SECONDS):
            with closing_is_an_error():
                channel = await open_channel(connection, confirms=False)
                try:
                    yield channel
                finally:
                    if not channel.is_closed:
                        await channel.close()
    except ChannelPreconditionFailed as error:
        raise BrokerError(
            "an exchange or queue exists on the broker with other arguments than ours "
            f"({error}); delete it there once it is empty, or choose another name "
            "with HATCHET_QUEUE"
        ) from error
    except CONNECTION_ERRORS as error:
        if isinstance(error, AMQPError) and not isinstance(error, ConnectionError):
            raise BrokerError(
                f"RabbitMQ did not let the router prepare its queues: {error}"
            ) from error
        raise ConnectionError(f"while declaring: {error!r}") from error
