"""Webhooks over real HTTP to a real broker: what is answered with 200 is in the queue."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp
import pytest
from stripe import WebhookSignature
from structlog.testing import capture_logs
from yarl import URL

from hatchet_cli.devstack import DevStack
from hatchet_router import Dispatcher
from hatchet_router.decoding import decode
from hatchet_router.deliveries import Delivery
from hatchet_router.webhooks.counts import WebhookCounts
from hatchet_router.webhooks.presets import PRESETS
from hatchet_router.webhooks.receiving import Receiver
from hatchet_router.webhooks.server import (
    AddressInUse,
    Limits,
    ReadinessOfBus,
    WebhookServer,
    listening,
)
from hatchet_router.webhooks.signing_secrets import FindSecret, SigningSecrets
from hatchet_schemas import Event

SECRET = "whsec_f00"
LIMITS = Limits(body_bytes=1000, requests=2)


def signed(body: str, seconds: float = 0, secret: str = SECRET) -> dict[str, str]:
    """Return the headers that Stripe would send, ``seconds`` from now."""
    when = int(time.time() + seconds)
    return {"Stripe-Signature": WebhookSignature.generate_signature_header(body, secret, when)}


def body_of(event_id: str, kind: str = "invoice.paid", **more: Any) -> str:
    """Return what Stripe would post."""
    return json.dumps({"id": event_id, "type": kind, "created": 1700000000, **more})


def host_and_port(address: str) -> tuple[str, int]:
    """Return the parts of an address."""
    host, _, port = address.removeprefix("http://").partition(":")
    return host, int(port)


Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def lifetime() -> AsyncIterator[AsyncExitStack]:
    """What has to end with the test."""
    async with AsyncExitStack() as stack:
        yield stack


SECRETS = {"STRIPE_SIGNING_SECRET": SECRET, "GITHUB_SIGNING_SECRET": SECRET}


def server_of(
    bus: Dispatcher,
    queue: str,
    limits: Limits,
    find: FindSecret = SECRETS.get,
    counts: WebhookCounts | None = None,
) -> WebhookServer:
    """Return a server of Stripe and GitHub."""
    return WebhookServer(
        Receiver(bus, queue, SigningSecrets(find), tolerance_seconds=300),
        {kind: PRESETS[kind](kind) for kind in ("stripe", "github")},
        ReadinessOfBus(bus, queue),
        limits,
        counts,
    )


@pytest.fixture
def serve(lifetime: AsyncExitStack, name: str) -> Serve:
    """Serve, publishing to the test's own exchange; return the address."""

    async def start(url: str, limits: Limits = LIMITS, patience: float = 30) -> str:
        bus = await lifetime.enter_async_context(
            Dispatcher(url, exchange=f"{name}.events", timeout=patience)
        )
        server = server_of(bus, f"{name}.router", limits)
        return await lifetime.enter_async_context(
            listening(server, "127.0.0.1", 0, limits, grace_seconds=5)
        )

    return start


@pytest.fixture
async def address(serve: Serve, stack: DevStack, broker: Any, name: str) -> str:
    """Serve, with the exchange declared."""
    async with broker.connection.channel() as channel:
        await channel.declare_exchange(f"{name}.events", "topic", durable=True)
    return await serve(stack.rabbitmq.amqp_url)


@pytest.fixture
async def client(lifetime: AsyncExitStack) -> aiohttp.ClientSession:
    """An HTTP client."""
    return await lifetime.enter_async_context(aiohttp.ClientSession())


async def test_an_event_that_is_answered_is_in_the_queue(
    address: str, client: aiohttp.ClientSession, broker: Any, name: str
) -> None:
    """Under the provider's id; sent again, it is the same event for the router."""
    queue = await broker.queue(f"{name}.events", "stripe:invoice.paid")
    body = body_of("evt_1", note="ü")

    for _ in range(2):
        async with client.post(
            f"{address}/webhooks/stripe", data=body.encode(), headers=signed(body)
        ) as answer:
            assert (answer.status, await answer.text()) == (200, "")

    messages = [await queue.get(no_ack=True) for _ in range(2)]
    assert [message.message_id for message in messages] == ["evt_1", "evt_1"]
    read = [
        decode(
            Delivery(
                message.body,
                message.routing_key,
                message.message_id,
                content_type=message.content_type,
                headers=message.headers,
            )
        )
        for message in messages
    ]
    assert read[0] == read[1]
    assert isinstance(read[0], Event)
    assert (read[0].id, read[0].source) == ("evt_1", "/webhooks/stripe")
    assert read[0].time.timestamp() == 1700000000
    assert read[0].data == json.loads(body)


async def test_nothing_that_is_refused_reaches_the_queue(
    address: str, client: aiohttp.ClientSession, broker: Any, name: str
) -> None:
    """Forged, replayed, from the future, tampered with, meant for another provider, too large."""
    queue = await broker.queue(f"{name}.events", "#")
    body = body_of("evt_1")
    large = body_of("evt_2", x="x" * 1000)

    async def status(provider: str, data: str, headers: dict[str, str], **how: Any) -> int:
        async with client.post(
            f"{address}/webhooks/{provider}", data=data, headers=headers, **how
        ) as answer:
            return answer.status

    assert await status("stripe", body, {}) == 403
    assert await status("stripe", body, signed(body, secret="other")) == 403
    assert await status("stripe", body, signed(body, seconds=-301)) == 403
    assert await status("stripe", body, signed(body, seconds=600)) == 403
    assert await status("stripe", body.replace("paid", "Paid"), signed(body)) == 403
    assert await status("github", body, signed(body)) == 403
    assert await status("paypal", body, signed(body)) == 404
    assert await status("stripe/", body, signed(body)) == 404
    assert await status("stripe", "{}", signed("{}")) == 400
    assert await status("stripe", large, signed(large)) == 413
    assert await status("stripe", large, signed(large), chunked=True) == 413
    assert await status("stripe", body, {f"x-{n}": "x" for n in range(65)}) == 400
    assert await broker.waiting(queue.name) == 0
    assert await status("stripe", body, signed(body, seconds=-200)) == 200
    assert await broker.waiting(queue.name) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(
    address: str, client: aiohttp.ClientSession, method: str
) -> None:
    async with client.request(method, f"{address}/webhooks/stripe") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_what_nobody_wants_is_accepted_once_a_router_has_said_what_it_wants(
    address: str, client: aiohttp.ClientSession, broker: Any, name: str
) -> None:
    """Before that the provider has to try again, or the event would be lost."""
    body = body_of("evt_1")

    async def post() -> int:
        async with client.post(
            f"{address}/webhooks/stripe", data=body, headers=signed(body)
        ) as answer:
            return answer.status

    async def ready() -> int:
        async with client.get(f"{address}/readyz") as answer:
            return answer.status

    assert (await post(), await ready()) == (503, 503)
    async with broker.connection.channel() as channel:
        await channel.declare_queue(f"{name}.router", durable=True)
    assert await post() == 200
    async with client.get(f"{address}/livez") as answer:
        assert answer.status == 200


async def test_readiness_is_that_of_the_bus(
    address: str, client: aiohttp.ClientSession, broker: Any, name: str
) -> None:
    async with broker.connection.channel() as channel:
        await channel.declare_queue(f"{name}.router", durable=True)

    async with client.get(f"{address}/readyz") as answer:
        assert (answer.status, await answer.text()) == (200, "ready\n")


class Link:
    """A way to a server that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> int:
        """Take connections, and return the port, which stays the same."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self._port

    async def cut(self) -> None:
        """End all connections, and take no others."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(*self._to)
        self._writers += [writer, there[1]]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward(reader, there[1]))
            group.create_task(self._forward(there[0], writer))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while octets := await reader.read(65536):
                writer.write(octets)
        writer.close()


async def test_while_the_broker_is_away_the_provider_is_told_to_try_again(
    serve: Serve, client: aiohttp.ClientSession, stack: DevStack, broker: Any, name: str
) -> None:
    """And when it is back, the event arrives."""
    async with broker.connection.channel() as channel:
        await channel.declare_exchange(f"{name}.events", "topic", durable=True)
    queue = await broker.queue(f"{name}.events", "#")
    there = URL(stack.rabbitmq.amqp_url)
    link = Link(str(there.host), int(there.port or 5672))
    url = str(there.with_host("127.0.0.1").with_port(await link.open()))
    address = await serve(url, patience=5)
    body = body_of("evt_1")

    async def post() -> tuple[int, str | None]:
        async with client.post(
            f"{address}/webhooks/stripe", data=body, headers=signed(body)
        ) as answer:
            return answer.status, answer.headers.get("Retry-After")

    assert await post() == (200, None)
    await link.cut()
    assert await post() == (503, "10")
    assert await broker.waiting(queue.name) == 1
    await link.open()
    assert await post() == (200, None)
    await link.cut()
    assert await broker.waiting(queue.name) == 2


async def lines_until_closed(address: str, sent: bytes) -> list[bytes]:
    """Send bytes, and return what comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*host_and_port(address))
    writer.write(sent)
    async with asyncio.timeout(60):
        received = await reader.read()
    writer.close()
    return received.splitlines()


@pytest.mark.parametrize("sent", [b"", b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nX:"])
async def test_a_client_that_sends_no_request_is_cut_off(
    serve: Serve, stack: DevStack, sent: bytes
) -> None:
    address = await serve(stack.rabbitmq.amqp_url, Limits(body_bytes=1000, idle_seconds=0.2))

    assert await lines_until_closed(address, sent) == []


async def test_a_client_that_sends_no_body_is_cut_off(serve: Serve, stack: DevStack) -> None:
    address = await serve(stack.rabbitmq.amqp_url, Limits(body_bytes=1000, body_seconds=0.2))
    head = b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"

    lines = await lines_until_closed(address, head)

    assert lines[0] == b"HTTP/1.1 408 Request Timeout"


@pytest.mark.parametrize(
    "rest", [b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\nx\r\n"]
)
async def test_a_body_that_breaks_off_is_no_failure_of_ours(
    address: str, client: aiohttp.ClientSession, rest: bytes
) -> None:
    reader, writer = await asyncio.open_connection(*host_and_port(address))
    with capture_logs() as logs:
        writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\n" + rest)
        await writer.drain()
        async with client.get(f"{address}/livez"):
            writer.close()
        async with client.get(f"{address}/livez") as answer:
            assert answer.status == 200
        await reader.read()

    assert logs == []


async def test_a_connection_that_speaks_something_else_is_closed(address: str) -> None:
    lines = await lines_until_closed(
        address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"
    )

    assert lines[0].startswith(b"HTTP/1.0 400")


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
        b"Content-Length : 4\r\n\r\n",
        b"Content-Length: +4\r\n\r\n",
    ],
    ids=["length and chunks", "two lengths", "space", "sign"],
)
async def test_a_body_of_two_lengths_smuggles_no_second_request(
    address: str, lengths: bytes
) -> None:
    """A proxy before us may go by the other one."""
    hidden = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"

    lines = await lines_until_closed(
        address, b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\n" + lengths + hidden
    )

    assert lines[0].startswith(b"HTTP/1.0 400")
    assert b"alive" not in lines


async def test_more_requests_than_fit_are_told_to_try_again(
    serve: Serve, client: aiohttp.ClientSession, stack: DevStack, until: Any
) -> None:
    """They would take memory; those in hand are not disturbed."""
    address = await serve(
        stack.rabbitmq.amqp_url, Limits(body_bytes=1000, body_seconds=60, requests=2)
    )
    slow = [await asyncio.open_connection(*host_and_port(address)) for _ in range(2)]
    for _, writer in slow:
        writer.write(
            b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n{"
        )

    async def status() -> int:
        async with client.post(f"{address}/webhooks/stripe", data="{}") as answer:
            return answer.status

    await until(status, 503)
    for reader, writer in slow:
        writer.write(b"}")
        assert (await reader.readline()).split()[1] == b"403"
        writer.close()
    assert await status() == 403


@pytest.mark.usefixtures("address")  # declares the exchange
async def test_each_request_is_counted_by_what_became_of_it(
    lifetime: AsyncExitStack,
    client: aiohttp.ClientSession,
    stack: DevStack,
    broker: Any,
    name: str,
) -> None:
    """By the names that the log has, and from 0 for each provider."""
    await broker.queue(f"{name}.events", "#")
    counts = WebhookCounts()
    limits = Limits(body_bytes=100)
    bus = await lifetime.enter_async_context(
        Dispatcher(stack.rabbitmq.amqp_url, exchange=f"{name}.events")
    )
    server = server_of(bus, f"{name}.router", limits, counts=counts)
    address = await lifetime.enter_async_context(
        listening(server, "127.0.0.1", 0, limits, grace_seconds=5)
    )
    bodies = {"published": body_of("evt_1"), "malformed": "no JSON"}
    requests = {outcome: (body, signed(body)) for outcome, body in bodies.items()}
    requests["refused"] = (bodies["published"], signed(bodies["published"], secret="other"))

    with capture_logs() as logs:
        for body, headers in requests.values():
            async with client.post(f"{address}/webhooks/stripe", data=body, headers=headers):
                pass
        async with client.post(f"{address}/webhooks/stripe", data="x" * 101):
            pass

    of_stripe = {outcome: count for outcome, count in counts.by_provider["stripe"].items() if count}
    assert of_stripe == {"published": 1, "malformed": 2, "refused": 1}
    assert set(counts.by_provider["github"].values()) == {0}
    assert (counts.in_hand, counts.seconds.count) == (0, 4)
    assert [record["event"] for record in logs] == [
        "webhook.published",
        "webhook.malformed",
        "webhook.refused",
    ]


async def test_at_the_end_requests_in_hand_are_finished(
    address: str, lifetime: AsyncExitStack, stack: DevStack, broker: Any, name: str, until: Any
) -> None:
    """And nobody else can connect."""
    queue = await broker.queue(f"{name}.events", "#")
    body = body_of("evt_1")
    limits = Limits(body_bytes=1000)
    bus = await lifetime.enter_async_context(
        Dispatcher(stack.rabbitmq.amqp_url, exchange=f"{name}.events")
    )
    counts = WebhookCounts()
    server = server_of(bus, f"{name}.router", limits, counts=counts)
    serving = AsyncExitStack()
    host, port = host_and_port(
        await serving.enter_async_context(
            listening(server, "127.0.0.1", 0, limits, grace_seconds=60)
        )
    )
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        f"Stripe-Signature: {signed(body)['Stripe-Signature']}\r\n\r\n{body[:5]}".encode()
    )

    async def in_hand() -> bool:
        return counts.in_hand == 1

    async def refused() -> bool:
        try:
            _, other = await asyncio.open_connection(host, port)
        except OSError:
            return True
        other.close()
        return False

    await until(in_hand)
    ending = asyncio.create_task(serving.aclose())
    await until(refused)
    assert not ending.done()
    writer.write(body[5:].encode())
    assert (await reader.readline()).split()[1] == b"200"
    await ending
    writer.close()
    assert await broker.waiting(queue.name) == 1


async def test_a_secret_that_cannot_be_read_any_more_is_our_fault(
    lifetime: AsyncExitStack, client: aiohttp.ClientSession, stack: DevStack
) -> None:
    """The provider tries again, and the log says what is wrong."""

    def unreadable(_: str) -> str:
        raise PermissionError("the secret cannot be read")

    server = server_of(Dispatcher(stack.rabbitmq.amqp_url), "q", LIMITS, unreadable)
    address = await lifetime.enter_async_context(
        listening(server, "127.0.0.1", 0, LIMITS, grace_seconds=5)
    )

    with capture_logs() as logs:
        async with client.post(f"{address}/webhooks/stripe", data="{}") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")

    assert [(record["event"], record["exc_info"]) for record in logs] == [("webhook.failed", True)]


async def test_an_address_that_is_taken_is_told(address: str, stack: DevStack) -> None:
    _, port = host_and_port(address)
    server = server_of(Dispatcher(stack.rabbitmq.amqp_url), "q", LIMITS)

    with pytest.raises(AddressInUse, match=f"cannot listen on 127.0.0.1 port {port}: "):
        async with listening(server, "127.0.0.1", port, LIMITS, grace_seconds=0):
            pass
