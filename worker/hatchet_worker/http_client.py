"""Calling a provider over HTTP: one pool of connections, a timeout, and errors that are sorted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from hatchet_worker.context import Context
from hatchet_worker.http_sessions import (
    HttpSession,
    call_seconds,
    client_timeout,
    transport_errors,
)
from hatchet_worker.provider_errors import ProviderFailed, provider_error

__all__ = ["Answer", "HttpClient"]

_MAX_BYTES: Final = 1024 * 1024


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
        self._session = HttpSession()

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
            ProviderFailed: there was no answer in time, only a part of one, or one of more than
                1 MiB.

        """
        seconds = call_seconds(context, self.timeout_seconds)
        with transport_errors(self.provider, seconds):
            async with self._session.opened().request(
                method,
                self.base_url + path,
                json=body,
                headers=headers,
                params=query,
                allow_redirects=False,
                timeout=client_timeout(seconds),
            ) as response:
                octets = await self._read(response.content)
                return Answer(response.status, response.headers, _body(octets))

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

    async def _read(self, content: aiohttp.StreamReader) -> bytes:
        octets = bytearray()
        async for chunk in content.iter_any():
            octets += chunk
            if len(octets) > _MAX_BYTES:
                raise ProviderFailed(
                    self.provider, f"the answer has more than {_MAX_BYTES:,} bytes"
                )
        return bytes(octets)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._session.close()


def _body(octets: bytes) -> Any:
    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        return octets.decode("utf-8", "replace")
