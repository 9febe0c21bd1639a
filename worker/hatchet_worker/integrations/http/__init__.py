"""`http`: requests to hosts that the worker allows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import aiohttp
from pydantic_core import to_json
from yarl import URL

from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError
from hatchet_worker.http_sessions import call_seconds, client_timeout, transport_errors
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._options import option
from hatchet_worker.integrations.http.addresses import read_networks
from hatchet_worker.integrations.http.messages import Request, Response
from hatchet_worker.integrations.http.resolving import CheckingResolver
from hatchet_worker.integrations.http.sending import MAX_REDIRECTS, Reply, Wanted, reply_to
from hatchet_worker.integrations.http.targets import (
    ForbiddenTarget,
    Policy,
    read_hosts,
    read_ports,
)
from hatchet_worker.provider_errors import provider_error

__all__ = ["ForbiddenTarget", "Http", "Request", "Response"]

_CONNECTIONS: Final = 100
_MAX_BYTES: Final = "1048576"
_LARGEST_MAX_BYTES: Final = 1_800_000
_TIMEOUT_SECONDS: Final = 30.0
_BAD_REQUEST: Final = 400
_MESSAGE_FIELDS: Final = ("message", "error_description", "detail", "title", "error")


class Http(Integration):
    """Sends requests, and only to where the worker's own options let them go.

    ``hosts`` (``HATCHET_HTTP_HOSTS``, with commas between) are those that may be called: names,
    ``*.example.com`` for all below one, or ``*`` for all. Without them, none may. ``networks``
    (``HATCHET_HTTP_NETWORKS``) are networks that may be reached beside the public ones, such as
    ``10.0.0.0/8``; what a name stands for is looked at whenever a connection is made. ``ports``
    (``HATCHET_HTTP_PORTS``) are 80 and 443 where nothing else is said. An answer of more than
    ``max_bytes`` (``HATCHET_HTTP_MAX_BYTES``; 1 MiB) fails the step.

    No proxy of the environment is used: it would decide where a request ends.
    """

    id = "http"

    def __init__(
        self,
        *,
        id: str = "http",  # noqa: A002 - as in the base class
        hosts: Iterable[str] | None = None,
        networks: Iterable[str] | None = None,
        ports: Iterable[int] | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self.id = id
        self._policy = Policy(
            read_hosts(_listed(hosts, "HATCHET_HTTP_HOSTS")),
            read_networks(_listed(networks, "HATCHET_HTTP_NETWORKS")),
            read_ports(_listed(ports, "HATCHET_HTTP_PORTS", "80,443")),
        )
        self._max_bytes = _checked_size(
            option(
                None if max_bytes is None else str(max_bytes), "HATCHET_HTTP_MAX_BYTES", _MAX_BYTES
            )
        )
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @action("request")
    async def request(self, request: Request, context: Context) -> Response:
        """Send an HTTP request to a host that the worker allows, and return the answer.

        A status of 400 and more is an error unless `accept_statuses` has it: 429 and 503 with
        Retry-After are tried again when they say, 408, 425 and other 5xx as the step's `retry`
        says, all else not at all. Whether a request may be sent twice is for the service to know:
        use `idempotency_header` where it takes a key, and `retry: {attempts: 1}` where it must not.
        """
        wanted = _wanted(request, context)
        self._policy.check(wanted.url)
        seconds = call_seconds(context, _TIMEOUT_SECONDS)
        called = f"{self.id} {wanted.method} {wanted.url.host}"
        with transport_errors(called, seconds):
            async with asyncio.timeout(seconds):
                reply = await reply_to(
                    wanted,
                    self._opened(),
                    self._policy,
                    redirects=MAX_REDIRECTS if request.follow_redirects else 0,
                    max_bytes=self._max_bytes,
                )
        if reply.status >= _BAD_REQUEST and reply.status not in request.accept_statuses:
            raise provider_error(called, reply.status, _reason(reply), headers=reply.headers)
        return Response(
            status=reply.status,
            headers=dict(reply.headers),
            body=reply.body,
            url=str(reply.url.with_fragment(None)),
        )

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckingResolver(self._policy.networks),
                    use_dns_cache=False,
                    limit=_CONNECTIONS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=client_timeout(None),
                headers={"User-Agent": "hatchet-workflows"},
            )
            self._loop = loop
        return self._session


def _listed(given: Iterable[object] | None, variable: str, default: str = "") -> list[str]:
    if given is not None:
        return [str(item) for item in given]
    listed = option(None, variable, default).split(",")
    return [item.strip() for item in listed if item.strip()]


def _checked_size(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= _LARGEST_MAX_BYTES:
        raise IntegrationError(
            f"HATCHET_HTTP_MAX_BYTES (max_bytes) is {text!r}: expected a number of bytes up to "
            f"{_LARGEST_MAX_BYTES:,}, which is what a step can put out"
        )
    return int(text)


def _wanted(request: Request, context: Context) -> Wanted:
    key_header = request.idempotency_header or ""
    headers = {
        name: value for name, value in request.headers.items() if name.lower() != key_header.lower()
    }
    body: bytes | None = None
    if isinstance(request.body, str):
        body, content_type = request.body.encode(), "text/plain; charset=utf-8"
    elif request.body is not None:
        body, content_type = to_json(request.body), "application/json"
    else:
        content_type = ""
    if content_type and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = content_type
    if key_header:
        headers[key_header] = context.idempotency_key
    url = URL(request.url)
    if request.query:
        url = url.extend_query(request.query)
    return Wanted(request.method, url, headers, body)


def _reason(reply: Reply) -> str:
    """Return what the body says is wrong; the whole of it where it is a text."""
    body: Any = reply.body
    if isinstance(body, dict):
        told = [body[name] for name in _MESSAGE_FIELDS if body.get(name)]
        if told and isinstance(told[0], dict):
            told = [told[0].get("message")]
        return str(told[0]) if told and told[0] else "no reason given"
    return " ".join(body.split()) if isinstance(body, str) else "no reason given"
