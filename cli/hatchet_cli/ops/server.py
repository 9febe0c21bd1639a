"""A small HTTP server on the event loop of the process that it tells of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.ops.address import OPS_ADDRESS, OpsAddress

__all__ = ["Page", "Response", "serving"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.ops")

_REQUEST_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 10.0
_MAX_HEAD_BYTES: Final = 16 * 1024
_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Response:
    """What a page answers."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Page = Callable[[], Awaitable[Response]]


@asynccontextmanager
async def serving(
    address: OpsAddress | None, pages: Mapping[str, Page]
) -> AsyncGenerator[OpsAddress | None]:
    """Answer GET requests for ``pages``, by path, for the time of the block.

    Without an address there is no server. Gives the address with the port that it has. That it
    runs on the event loop is meant: where that is blocked, nothing answers.

    Raises:
        CommandError: nothing can listen there.

    """
    if address is None:
        yield None
        return

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError):
            try:
                await _converse(reader, writer, pages)
            finally:
                writer.close()

    try:
        server = await asyncio.start_server(
            on_connection, address.host, address.port, limit=_MAX_HEAD_BYTES
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(
            f"{OPS_ADDRESS}: cannot listen at {address}: {reason}", ExitCode.USAGE
        ) from None
    bound = OpsAddress(address.host, _port_of(server.sockets[0].getsockname()))
    _log.info("ops.listening", address=str(bound), pages=sorted(pages))
    try:
        yield bound
    finally:
        server.close()


def _port_of(name: Any) -> int:
    port: int = name[1]
    return port


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Mapping[str, Page]
) -> None:
    """Read one request and answer it; the connection is not used again."""
    method, response = await _answer(reader, pages)
    head = (
        f"HTTP/1.1 {response.status.value} {response.status.phrase}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    writer.write(head.encode("ascii") + (b"" if method == "HEAD" else response.body))
    async with asyncio.timeout(_ANSWER_SECONDS):
        await writer.drain()


async def _answer(reader: asyncio.StreamReader, pages: Mapping[str, Page]) -> tuple[str, Response]:
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return "", _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    except asyncio.IncompleteReadError:
        raise ConnectionError("the client has gone") from None
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - RFC 9112, 3
        return "", _refusal(HTTPStatus.BAD_REQUEST)
    method, target, _ = words
    page = pages.get(target.partition("?")[0])
    if page is None:
        return method, _refusal(HTTPStatus.NOT_FOUND)
    if method not in _METHODS:
        return method, _refusal(HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return method, await page()
    except Exception:  # noqa: BLE001 - a fault of ours: the process goes on with its work
        _log.exception("ops.page_failed", path=target)
        return method, _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)


def _refusal(status: HTTPStatus) -> Response:
    return Response(f"{status.phrase}\n".encode(), status=status)
