"""The HTTP side: paths, methods, limits and the server's life."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from hatchet_router.errors import BrokerError, RouterError
from hatchet_router.readiness import Readiness
from hatchet_router.webhooks.counts import WebhookCounts, WebhookOutcome
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.receiving import RETRY_LATER, Bus, Receiver, Reply
from hatchet_router.webhooks.requests import WebhookRequest

__all__ = ["AddressInUse", "Limits", "WebhookServer", "listening"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.webhooks")

_READY_SECONDS: Final = 2.0
_READY_KEPT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 1.0  # at the end, for the answers to get out


class AddressInUse(RouterError, OSError):
    """The server cannot listen where it should."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a client is put up with."""

    body_bytes: int
    body_seconds: float = 10.0
    """How long a body may take, once the headers are there."""
    idle_seconds: float = 30.0
    """How long a connection may take until the headers of a request are there."""
    headers: int = 64
    header_bytes: int = 8190
    """Of one header, its name and value."""
    requests: int = 256
    """How many are in hand at once; with ``body_bytes`` it bounds the memory."""


class WebhookServer:
    """``POST /webhooks/<provider>``, and ``/livez`` and ``/readyz`` for who watches the process."""

    def __init__(
        self,
        receiver: Receiver,
        providers: Mapping[str, Provider],
        readiness: ReadinessOfBus,
        limits: Limits,
        counts: WebhookCounts | None = None,
    ) -> None:
        self._counts = counts or WebhookCounts()
        self._counts.begin(providers)
        self._receiver = receiver
        self._providers = providers
        self._readiness = readiness
        self._limits = limits
        self._idle = asyncio.Event()
        self._idle.set()

    def application(self) -> web.Application:
        """Return what answers requests."""
        app = web.Application(
            client_max_size=self._limits.body_bytes, middlewares=[_failures_are_ours]
        )
        app.router.add_post("/webhooks/{provider}", self._webhook)
        app.router.add_get("/livez", self._live)
        app.router.add_get("/readyz", self._ready)
        return app

    async def finish(self, seconds: float) -> None:
        """Wait until no request is in hand, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def _webhook(self, request: web.Request) -> web.Response:
        provider = self._providers.get(request.match_info["provider"])
        if provider is None:
            return _response(Reply(404, "not found\n"))
        began = time.perf_counter()
        outcome: WebhookOutcome = "failed"
        self._counts.in_hand += 1
        self._idle.clear()
        try:
            reply = await self._received(provider, request)
            outcome = reply.outcome
            return _response(reply)
        finally:
            self._counts.received(provider.name, outcome, time.perf_counter() - began)
            self._counts.in_hand -= 1
            if not self._counts.in_hand:
                self._idle.set()

    async def _received(self, provider: Provider, request: web.Request) -> Reply:
        if self._counts.in_hand > self._limits.requests:
            _log.warning("webhook.unavailable", provider=provider.name, reason="too many at once")
            return RETRY_LATER
        body = await self._body(request)
        if isinstance(body, Reply):
            return body
        return await self._receiver.receive(provider, WebhookRequest(request.headers, body))

    async def _body(self, request: web.Request) -> bytes | Reply:
        """Return the body, or what to answer where it does not come."""
        if (request.content_length or 0) > self._limits.body_bytes:
            return _too_large(self._limits.body_bytes)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await request.read()
        except TimeoutError:
            return _unread(408, "the body took too long")
        except web.HTTPRequestEntityTooLarge:
            return _too_large(self._limits.body_bytes)
        except (ConnectionError, web.RequestPayloadError):
            return _unread(400, "the body breaks off")

    async def _live(self, _request: web.Request) -> web.Response:
        return _response(Reply(200, "alive\n"))

    async def _ready(self, _request: web.Request) -> web.Response:
        ready = await self._readiness.is_ready()
        return _response(Reply(200, "ready\n") if ready else Reply(503, "not ready\n"))


class ReadinessOfBus:
    """Whether events can be taken: RabbitMQ answers, and has the routers' queue.

    It is asked once a second at most, however many want to know. ``readiness`` says why not.
    """

    def __init__(self, bus: Bus, queue: str, readiness: Readiness | None = None) -> None:
        self._bus = bus
        self._queue = queue
        self._readiness = readiness or Readiness(process="webhooks")
        self._asking = asyncio.Lock()
        self._until = 0.0

    async def is_ready(self) -> bool:
        """Return what RabbitMQ says now, or has said within the last second."""
        clock = asyncio.get_running_loop().time
        async with self._asking:
            if clock() >= self._until:
                await self._ask()
                self._until = clock() + _READY_KEPT_SECONDS
            return self._readiness.is_ready

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                has_queue = await self._bus.has_queue(self._queue)
        except (BrokerError, TimeoutError) as error:
            reason = str(error) or f"no answer within {_READY_SECONDS:g} s"
            self._readiness.trouble("rabbitmq", reason)
            return
        self._readiness.mended("rabbitmq")
        if has_queue:
            self._readiness.mended("queues")
        else:
            self._readiness.trouble(
                "queues",
                f"there is no queue {self._queue!r}: a router declares it when it starts",
            )


@asynccontextmanager
async def listening(
    server: WebhookServer, host: str, port: int, limits: Limits, *, grace_seconds: float
) -> AsyncGenerator[str]:
    """Serve for as long as the context lasts, and give the address; port 0 is any free one.

    Leaving takes no more connections, and gives the requests in hand ``grace_seconds``.

    Raises:
        AddressInUse: something else listens there, or it is not ours to listen on.

    """
    runner = web.AppRunner(
        server.application(),
        access_log=None,
        auto_decompress=False,  # what is signed is what comes
        keepalive_timeout=limits.idle_seconds,
        lingering_time=1.0,
        max_headers=limits.headers,
        max_field_size=limits.header_bytes,
        shutdown_timeout=_ANSWER_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise AddressInUse(host, port, error.strerror or str(error)) from error
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        await site.stop()
        # The runner's own end takes no more of a body that is still on its way.
        await server.finish(grace_seconds)
    finally:
        await runner.cleanup()


@web.middleware
async def _failures_are_ours(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what nobody expected with 503, since the provider can do nothing about it."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - told whole, and no provider may take it for a success
        _log.exception("webhook.failed", path=request.path)
        return _response(RETRY_LATER)


def _too_large(max_bytes: int) -> Reply:
    return _unread(413, f"at most {max_bytes} bytes are accepted")


def _unread(status: int, why: str) -> Reply:
    return Reply(status, f"{why}\n", headers={"Connection": "close"}, outcome="malformed")


def _response(reply: Reply) -> web.Response:
    response = web.Response(
        status=reply.status,
        text=reply.text,
        content_type=reply.content_type,
        headers=reply.headers,
    )
    if reply.headers.get("Connection") == "close":
        response.force_close()
    return response
