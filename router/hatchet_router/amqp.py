"""Connections to RabbitMQ, shared by the consuming and the publishing side."""

from __future__ import annotations

import asyncio
import socket
from typing import Final
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractRobustConnection
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, ProbableAuthenticationError

from hatchet_router.errors import BrokerUnreachable

__all__ = ["CONNECTION_ERRORS", "connect"]

CONNECTION_ERRORS: Final = (AMQPError, ChannelInvalidStateError, OSError)
"""What is raised when a connection or a channel is, or goes, away; a timeout is an OSError."""

_CONNECT_TIMEOUT_SECONDS: Final = 10.0
_HEARTBEAT_SECONDS: Final = 10
_RECONNECT_SECONDS: Final = 1.0


async def connect(url: str, name: str) -> AbstractRobustConnection:
    """Return a connection that re-opens itself, its channels and its consumers when it is lost.

    ``name`` is what RabbitMQ's management UI shows.

    Raises:
        BrokerUnreachable: the first attempt failed; the reason says what to try.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname:
        raise BrokerUnreachable(
            url, "not an address: expected amqp[s]://user:password@host:port/vhost"
        )
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
            return await aio_pika.connect_robust(
                url,
                heartbeat=_HEARTBEAT_SECONDS,
                reconnect_interval=_RECONNECT_SECONDS,
                client_properties={"connection_name": name},
            )
    except (*CONNECTION_ERRORS, ValueError) as error:
        raise BrokerUnreachable(url, _reason(error)) from error


def _reason(error: BaseException) -> str:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    for cause in causes:
        match cause:
            case ProbableAuthenticationError():
                return "it refused the user, the password or the virtual host of the address"
            case ConnectionRefusedError():
                return "nothing is listening there; start RabbitMQ, or set HATCHET_AMQP_URL"
            case socket.gaierror():
                return "the host's name is not known"
            case TimeoutError():
                return f"no answer within {_CONNECT_TIMEOUT_SECONDS:.0f} s; is that RabbitMQ?"
            case _:
                continue
    return f"{type(error).__name__}: {error}"
