"""Sending a request, and following where its answers lead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from yarl import URL

from hatchet_worker.errors import NonRetryable
from hatchet_worker.integrations.http.targets import ForbiddenTarget, Policy, read_url

__all__ = ["MAX_REDIRECTS", "Reply", "TooLarge", "Wanted", "reply_to"]

MAX_REDIRECTS: Final = 5

_MAX_HEADERS: Final = 100
_MAX_HEADERS_CHARACTERS: Final = 16 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEPT_ELSEWHERE: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_OF_BODIES: Final = frozenset({"content-type", "content-encoding", "content-language"})


class TooLarge(NonRetryable):
    """The answer has more bytes than this worker takes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request on its way, which a redirect changes."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end; ``url`` is where it came from."""

    url: URL
    status: int
    headers: Mapping[str, str]
    body: Any


async def reply_to(
    wanted: Wanted,
    session: aiohttp.ClientSession,
    policy: Policy,
    *,
    redirects: int,
    max_bytes: int,
) -> Reply:
    """Send a request, follow at most ``redirects`` redirects, and return the last answer.

    Each is checked anew before it is followed.

    Raises:
        ForbiddenTarget: a request would go where ``policy`` lets none go.
        TooLarge: the answer has more than ``max_bytes`` bytes, as it comes or decompressed.
        aiohttp.ClientError: there was no answer, or only a part of one.

    """
    left = redirects
    while True:
        policy.check(wanted.url)
        async with session.request(
            wanted.method,
            wanted.url,
            headers=wanted.headers,
            data=wanted.body,
            allow_redirects=False,
        ) as response:
            location = response.headers.get("Location")
            if redirects == 0 or response.status not in _REDIRECTS or location is None:
                octets = await _read(response, max_bytes)
                body = _body(octets, response)
                return Reply(wanted.url, response.status, _headers(response), body)
            status = response.status
        if left == 0:
            raise ForbiddenTarget(
                f"more than {redirects} redirects, the last from {wanted.url.host!r}"
            )
        left -= 1
        wanted = _redirected(wanted, status, location)


def _redirected(wanted: Wanted, status: int, location: str) -> Wanted:
    """Return the next request (RFC 9110, section 15.4, as the Fetch standard reads it)."""
    try:
        url = read_url(str(wanted.url.join(URL(location))))
    except ValueError as error:
        raise ForbiddenTarget(f"{wanted.url.host!r} redirects to no good URL: {error}") from None
    if wanted.url.scheme == "https" and url.scheme != "https":
        raise ForbiddenTarget(f"{wanted.url.host!r} redirects from https to http")
    headers = dict(wanted.headers)
    if url.origin() != wanted.url.origin():
        headers = {name: headers[name] for name in headers if name.lower() in _KEPT_ELSEWHERE}
    see_other = status == HTTPStatus.SEE_OTHER and wanted.method != "HEAD"
    moved = status in {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND} and wanted.method == "POST"
    if see_other or moved:
        headers = {name: headers[name] for name in headers if name.lower() not in _OF_BODIES}
        return Wanted("GET", url, headers, None)
    return replace(wanted, url=url, headers=headers)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    octets = bytearray()
    async for chunk in response.content.iter_any():
        octets += chunk
        if len(octets) > max_bytes:
            raise TooLarge(
                f"the answer of {response.url.host!r} has more than {max_bytes:,} bytes "
                "(HATCHET_HTTP_MAX_BYTES of the worker): ask for less, or have it stored elsewhere"
            )
    return bytes(octets)


def _body(octets: bytes, response: aiohttp.ClientResponse) -> Any:
    if not octets:
        return None
    media_type = response.content_type.lower()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            return json.loads(octets)
        except (ValueError, RecursionError):
            pass  # it says that it is JSON, and is not: people should see what it is
    try:
        return octets.decode(response.charset or "utf-8", "replace")
    except LookupError:
        return octets.decode("utf-8", "replace")


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    left = _MAX_HEADERS_CHARACTERS
    for given, value in list(response.headers.items())[:_MAX_HEADERS]:
        left -= len(given) + len(value)
        if left < 0:
            break
        name = given.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
