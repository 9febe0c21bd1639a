"""The port for operators, as an HTTP client sees it."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.server import Response, serving

LOOPBACK = OpsAddress("127.0.0.1", 0)


async def hello() -> Response:
    """Answer."""
    return Response(b"hello\n")


async def broken() -> Response:
    """Fail."""
    raise RuntimeError("a fault")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a running server."""
    async with serving(LOOPBACK, {"/hello": hello, "/broken": broken}) as address:
        assert address is not None
        yield address.port


async def asked(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Return the status and the body of an answer."""

    def ask() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


async def sent(port: int, data: bytes) -> bytes:
    """Return what is answered to ``data``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_page_is_answered(port: int) -> None:
    assert await asked(port, "/hello") == (200, b"hello\n")
    assert await asked(port, "/hello?now=1") == (200, b"hello\n")
    assert await asked(port, "/hello", "HEAD") == (200, b"")


async def test_what_is_not_there_is_said_to_be_so(port: int) -> None:
    assert (await asked(port, "/"))[0] == 404
    assert (await asked(port, "/hello", "POST"))[0] == 405


async def test_a_fault_of_a_page_is_logged_and_told_without_its_words(port: int) -> None:
    with capture_logs() as logs:
        assert await asked(port, "/broken") == (500, b"Internal Server Error\n")

    assert [log["event"] for log in logs] == ["ops.page_failed"]
    assert await asked(port, "/hello") == (200, b"hello\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /hello SPDY/3\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /hello HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"HTTP/1.1 431 "),
    ],
)
async def test_what_is_no_request_is_refused(port: int, data: bytes, status: bytes) -> None:
    assert (await sent(port, data)).startswith(status)


async def test_a_client_that_goes_away_does_no_harm(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hel")
    writer.close()

    assert await asked(port, "/hello") == (200, b"hello\n")


async def test_a_port_that_is_taken_is_a_usage_error_that_names_it(port: int) -> None:
    with pytest.raises(CommandError, match=rf"127\.0\.0\.1:{port}.*in use") as caught:
        async with serving(OpsAddress("127.0.0.1", port), {}):
            pass

    assert caught.value.code is ExitCode.USAGE


async def test_without_an_address_nothing_listens() -> None:
    async with serving(None, {"/hello": hello}) as address:
        assert address is None
