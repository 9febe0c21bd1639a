"""A provider on this machine: it keeps what it is sent, and answers what a test says."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from pydantic import BaseModel

from hatchet_worker import Context, Integration, use_context
from hatchet_worker.payloads import json_object

TOKEN = "tok-3141592653589793"
KEY = "5ccd63dd-9b5c-5d6b-8a0e-b7e1d5f37a58"


@dataclass(frozen=True)
class Received:
    """A request, as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which has to be JSON."""
        assert self.headers["Content-Type"].split(";")[0] == "application/json"
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, which has to be a form."""
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        return dict(parse_qsl(self.body.decode(), strict_parsing=True))


@dataclass(frozen=True)
class Reply:
    """What the provider answers; a body that is neither text nor octets becomes JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


HANG = Reply(status=0)
"""No answer at all, while the connection stays."""

HANG_UP = Reply(status=-1)
"""No answer: the connection ends."""


class Provider:
    """What a test sees of the server: its URL, what arrived, and what it is to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self._replies = defaultdict[str, deque[Reply]](deque)
        self._unexpected: list[str] = []

    def answers(self, endpoint: str, *replies: Reply) -> None:
        """Answer the next requests to ``endpoint``, such as ``POST /email``, with ``replies``."""
        self._replies[endpoint].extend(replies)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.received.append(
            Received(
                request.method,
                request.path,
                dict(request.query),
                request.headers,
                await request.read(),
            )
        )
        endpoint = f"{request.method} {request.path}"
        if not self._replies[endpoint]:
            self._unexpected.append(endpoint)
            return web.Response(status=418, text=f"unexpected: {endpoint}")
        reply = self._replies[endpoint].popleft()
        if reply is HANG:
            await asyncio.Event().wait()
        if reply is HANG_UP and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if isinstance(reply.body, str):
            return web.Response(text=reply.body, status=reply.status, headers=reply.headers)
        return web.json_response(reply.body, status=reply.status, headers=reply.headers)

    def check(self) -> None:
        """Check that exactly the requests arrived for which there were answers."""
        assert self._unexpected == []
        assert {endpoint: list(left) for endpoint, left in self._replies.items() if left} == {}


@asynccontextmanager
async def serving() -> AsyncIterator[Provider]:
    """Yield a provider that runs inside the ``async with`` block; check it after that."""
    made = Provider()
    runner = web.ServerRunner(web.Server(made.answer), shutdown_timeout=0.01)  # 0 is no limit
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
    made.check()


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with serving() as made:
        yield made


async def performed(
    integration: Integration, verb: str, data: dict[str, Any], *, context: Context | None = None
) -> dict[str, Any]:
    """Return the outputs of an action that a worker would call with ``data``."""
    context = context or Context(
        idempotency_key=KEY, secrets=dict.fromkeys(integration.secrets, TOKEN)
    )
    try:
        with use_context(context):
            outputs = await integration.perform_action(verb, data)  # type: ignore[misc]
    finally:
        await integration.close()
    assert isinstance(outputs, BaseModel)
    return json_object(outputs)


def out_of_time(integration: Integration) -> Context:
    """Return the context of a step whose time is over, so that its calls are as short as can be."""
    return Context(
        deadline=datetime.now(UTC) - timedelta(seconds=1),
        secrets=dict.fromkeys(integration.secrets, TOKEN),
    )


def told(error: BaseException) -> str:
    """Return all that anybody could read of an error: its text, its causes, and their fields."""
    causes = [error, error.__cause__, error.__context__]
    return "".join(traceback.format_exception(error)) + repr(
        [(each, vars(each)) for each in causes if each]
    )
