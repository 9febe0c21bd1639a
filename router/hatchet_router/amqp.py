"""Connections to RabbitMQ, shared by the consuming and the publishing side."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from aio_pika import Connection
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url
from aiormq.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelInvalidStateError,
    IncompatibleProtocolError,
    ProbableAuthenticationError,
)

from hatchet_router.amqp_tls import closed_reason, tls_context, tls_reason
from hatchet_router.errors import BrokerUnreachable

__all__ = ["CONNECTION_ERRORS", "closing_is_an_error", "connect", "connected", "open_channel"]

CONNECTION_ERRORS: Final = (AMQPError, ChannelInvalidStateError, OSError)
"""What is raised when a connection or a channel is, or goes, away; a timeout is an OSError."""

_CONNECT_TIMEOUT_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 10


async def connect(url: str, name: str) -> AbstractConnection:
    """Return a connection that stays closed when it is lost.

    ``name`` is what RabbitMQ's management UI shows.

    Raises:
        BrokerUnreachable: RabbitMQ does not answer; the reason says what to try.
        BrokerTlsUnusable: one of the files for TLS that the address names.

    """
    if not _is_address(url):
        raise BrokerUnreachable(
            url, "not an address: expected amqp[s]://user:password@host:port/vhost"
        )
    context = await asyncio.to_thread(tls_context, url)
    try:
        async with AsyncExitStack() as on_failure:
            connection = Connection(
                make_url(url, heartbeat=_HEARTBEAT_SECONDS),
                ssl_context=context,
                client_properties={"connection_name": name},
            )
            on_failure.push_async_callback(connection.close)
            async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
                await connection.connect()
            on_failure.pop_all()
            return connection
    except (*CONNECTION_ERRORS, ValueError) as error:
        raise BrokerUnreachable(url, _reason(url, error)) from error


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncGenerator[AbstractConnection]:
    """Connect for as long as the context lasts, as `connect` does.

    Leaving closes it, within 5 s even if the broker is frozen.

    Raises:
        BrokerUnreachable: as `connect` does.

    """
    connection = await connect(url, name)
    try:
        yield connection
    finally:
        with suppress(*CONNECTION_ERRORS):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await connection.close()


async def open_channel(connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
    """Return a new channel; with ``confirms`` an unroutable message is an error, too.

    Raises:
        ConnectionError: and the others of `CONNECTION_ERRORS`: the connection is, or goes, away.

    """
    with closing_is_an_error():
        try:
            channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
            await channel.initialize()
        except RuntimeError as error:  # so aio-pika says that the connection was closed
            raise ConnectionError(str(error)) from error
        return channel


@contextmanager
def closing_is_an_error() -> Generator[None]:
    """Raise what aio-pika should: ConnectionError for a connection that closes under a call.

    It raises CancelledError then, as if the calling task had been cancelled; aiormq a bare
    Exception, where the message was about to be written. And where a task is cancelled just as the
    broker answers, `asyncio.wait_for` of Python 3.11, which aiormq calls, goes on as if it were
    not: here that ends in CancelledError, as asyncio promises.
    """
    task = asyncio.current_task()
    cancelled_before = task.cancelling() if task is not None else 0

    def is_cancelled_meanwhile() -> bool:
        return task is not None and task.cancelling() > cancelled_before

    try:
        yield
    except asyncio.CancelledError:
        if task is None or task.cancelling():
            raise
        raise ConnectionError("the connection was closed") from None
    except Exception as error:
        if is_cancelled_meanwhile():
            raise asyncio.CancelledError from error
        if type(error) is not Exception:
            raise
        raise ConnectionError("the connection was closed") from error
    if is_cancelled_meanwhile():
        raise asyncio.CancelledError


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"amqp", "amqps"} and bool(parts.hostname)


def _reason(url: str, error: BaseException) -> str:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    for cause in causes:
        match cause:
            case ProbableAuthenticationError():
                return "it refused the user, the password or the virtual host of the address"
            case ssl.SSLError():
                return tls_reason(url, cause)
            case ConnectionRefusedError():
                return "nothing is listening there; start RabbitMQ, or set HATCHET_AMQP_URL"
            case socket.gaierror():
                return "the host's name is not known"
            case TimeoutError():
                return f"no answer within {_CONNECT_TIMEOUT_SECONDS:.0f} s; is that RabbitMQ?"
            case _:
                continue
    # Not of its subclasses, by which a broker says more.
    if type(error) in {AMQPConnectionError, IncompatibleProtocolError}:
        return closed_reason(url)
    return f"{type(error).__name__}: {error}"
