"""Connections to a provider: kept for the next call, bounded in time, with sorted failures."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import aiohttp

from hatchet_worker.context import Context
from hatchet_worker.provider_errors import ProviderFailed, Unreachable

__all__ = ["HttpSession", "call_seconds", "client_timeout", "transport_errors"]

_MARGIN_SECONDS: Final = 0.5  # so that the step tells the provider's timeout, not its own
_LEAST_SECONDS: Final = 0.1
_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 100


class HttpSession:
    """One pool of connections, shared by all steps of the process; the first call opens it.

    It has no time limit but that for making a connection: whoever calls sets one for the call.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def opened(self) -> aiohttp.ClientSession:
        """Return the session of the event loop that runs."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=client_timeout(None),
            )
            self._loop = loop
        return self._session

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()


def call_seconds(context: Context, longest: float) -> float:
    """Return how long a call may take: ``longest`` seconds, or less before the step's deadline."""
    if context.deadline is None:
        return longest
    left = (context.deadline - datetime.now(UTC)).total_seconds() - _MARGIN_SECONDS
    return max(min(longest, left), _LEAST_SECONDS)


def client_timeout(seconds: float | None) -> aiohttp.ClientTimeout:
    """Return the limits of a call, and of making its connection: each has an error of its own."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)


@contextmanager
def transport_errors(provider: str, seconds: float) -> Generator[None]:
    """Raise what aiohttp raises inside the ``with`` block as the error of a provider.

    ``seconds`` is how long the call could take, for the message. Causes that hold the headers of
    the request, and so credentials, are left out.

    Raises:
        Unreachable: no connection could be made.
        ProviderFailed: there was no answer in time, or only a part of one.

    """
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(provider, f"no connection: {error.os_error}") from error
    except aiohttp.ConnectionTimeoutError as error:
        raise Unreachable(provider, f"no connection: {error}") from error
    except TimeoutError as error:
        raise ProviderFailed(provider, f"no answer within {seconds:g} s") from error
    except aiohttp.ClientError as error:
        raise ProviderFailed(provider, f"{type(error).__name__}: {error}") from None
