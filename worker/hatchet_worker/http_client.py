"""Calling a provider over HTTP: one pool of connections, a timeout, and errors that are sorted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from hatchet_worker.context import Context
from hatchet_worker.deadlines import seconds_for_call
from hatchet_worker.provider_errors import ProviderFailed, Unreachable, provider_error

__all__ = ["Answer", "HttpClient"]

_MAX_BYTES: Final = 1024 * 1024
_CONNECTIONS: Final = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered; ``body`` is the JSON data, or the text where it is none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def is_success(self) -> bool:
        """Whether the provider did what it was asked to."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def field(self, name: str) -> str | None:
        """Return a field of the body's object as a text; None where there is none."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return None if value is None else str(value)


class HttpClient:
    """Calls one provider, by its name in errors and the URL that all its paths stand below.

    Connections are kept and shared by all steps of the process; `close` ends them. No redirect is
    followed. ``timeout_seconds`` is for a whole call; where the step's deadline comes before, that
    counts.
    """

    def __init__(self, provider: str, base_url: str, *, timeout_seconds: float = 10.0) -> None:
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(
        self,
        method: str,
        path: str,
        context: Context,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, with ``body`` as JSON if there is one, and return the answer.

        Whatever its status: `raise_for` tells which is an error.

        Raises:
            Unreachable: no connection could be made.
            ProviderFailed: there was no answer in time, or only a part of one.

        """
        seconds = seconds_for_call(context, self.timeout_seconds)
        try:
            async with self._opened().request(
                method,
                self.base_url + path,
                json=body,
                headers=headers,
                params=query,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                octets = await _read(response.content)
                return Answer(response.status, response.headers, _body(octets))
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(self.provider, f"no connection: {error.os_error}") from error
        except TimeoutError as error:
            raise ProviderFailed(self.provider, f"no answer within {seconds:g} s") from error
        except aiohttp.ClientError as error:
            raise ProviderFailed(self.provider, f"{type(error).__name__}: {error}") from error

    def raise_for(self, answer: Answer, *, code: str | None, message: str | None) -> None:
        """Raise a `ProviderError` if the answer's status is no success; the words are its own."""
        if not answer.is_success:
            raise provider_error(
                self.provider,
                answer.status,
                message or "no reason given",
                code=code,
                headers=answer.headers,
            )

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._loop = loop
        return self._session


async def _read(content: Any) -> bytes:
    octets = bytearray()
    async for chunk in content.iter_any():
        octets += chunk
        if len(octets) > _MAX_BYTES:
            break
    return bytes(octets[:_MAX_BYTES])


def _body(octets: bytes) -> Any:
    try:
        return json.loads(octets)
    except ValueError:
        return octets.decode("utf-8", "replace")
