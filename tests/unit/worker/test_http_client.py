"""Calls to a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from hatchet_worker import Context
from hatchet_worker.http_client import HttpClient
from hatchet_worker.provider_errors import ProviderFailed, Refused, Unreachable


async def _echo(request: web.Request) -> web.Response:
    return web.json_response({"got": await request.json(), "key": request.headers["X-Key"]})


async def _hang(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def _huge(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * 3_000_000)


async def _deep(request: web.Request) -> web.Response:
    return web.Response(body=b"[" * 100_000)


async def _elsewhere(request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/echo", _echo)
    app.router.add_get("/hang", _hang)
    app.router.add_get("/huge", _huge)
    app.router.add_get("/deep", _deep)
    app.router.add_get("/elsewhere", _elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is no limit
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def client(url: str) -> AsyncIterator[HttpClient]:
    made = HttpClient("acme", url)
    yield made
    await made.close()


async def test_json_goes_out_and_comes_back(client: HttpClient) -> None:
    answer = await client.call("POST", "/echo", Context(), body={"a": 1}, headers={"X-Key": "k"})

    assert (answer.status, answer.body) == (200, {"got": {"a": 1}, "key": "k"})
    assert answer.field("key") == "k"
    assert answer.field("none") is None


async def test_connections_are_opened_again_after_close(client: HttpClient) -> None:
    await client.close()

    assert (await client.call("GET", "/none", Context())).status == 404


async def test_a_redirect_is_not_followed(client: HttpClient) -> None:
    answer = await client.call("GET", "/elsewhere", Context())

    with pytest.raises(Refused, match="acme: 302"):
        client.raise_for(answer, code=None, message=None)


async def test_an_answer_that_is_too_large_is_an_error(client: HttpClient) -> None:
    """Half of one would be taken for something else."""
    with pytest.raises(ProviderFailed, match="acme: the answer has more than 1,048,576 bytes"):
        await client.call("GET", "/huge", Context())


async def test_the_deadline_of_the_step_comes_first(client: HttpClient) -> None:
    context = Context(deadline=datetime.now(UTC) + timedelta(seconds=0.6))

    with pytest.raises(ProviderFailed, match=r"acme: no answer within 0\.1"):
        await client.call("GET", "/hang", context)


async def test_no_connection() -> None:
    client = HttpClient("acme", "http://127.0.0.1:1")

    with pytest.raises(Unreachable, match="acme: no connection"):
        await client.call("GET", "/", Context())
    await client.close()


async def test_json_too_deep_to_read_is_a_text(client: HttpClient) -> None:
    answer = await client.call("GET", "/deep", Context())

    assert answer.body.startswith("[[[")
