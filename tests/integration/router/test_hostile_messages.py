"""Messages that a broker takes and client libraries choke on: one dead letter each, no more."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pamqp import base, commands, frame
from pamqp.header import ContentHeader, ProtocolHeader
from structlog.testing import capture_logs

from hatchet_cli.devstack import DevStack
from hatchet_router.deliveries import Delivery, Outcome
from hatchet_router.rabbitmq import Consumer
from hatchet_router.settings import RouterSettings
from hatchet_router.testing import ROUTED
from hatchet_router.undecodable import (
    MAX_PROPERTIES_BYTES,
    UnreadableProperties,
    tolerate_undecodable,
)

NextLetter = Callable[[str], Awaitable[Any]]

_FRAME_END = b"\xce"
_HEADER_SIZE = 7
_CHANNEL = 1

HEADERS = 1 << 13
CONTENT_TYPE = 1 << 15
MESSAGE_ID = 1 << 7
TIMESTAMP = 1 << 6


class RawPublisher:
    """One connection and channel, by hand (AMQP 0-9-1, sections 2.2 and 4.2)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def publish(
        self, exchange: str, routing_key: bytes, properties: tuple[int, bytes], body: bytes
    ) -> None:
        """Publish a message; ``properties`` are their flags and their bytes, as they are sent."""
        flags, octets = properties
        arguments = struct.pack(">HHH", 60, 40, 0) + _short(exchange.encode()) + _short(routing_key)
        self._send(1, arguments + b"\x00")
        self._send(2, struct.pack(">HHQH", 60, 0, len(body), flags) + octets)
        if body:
            self._send(3, body)

    def settle(self) -> None:
        """Return when the broker has read all that was sent before."""
        self._call(commands.Exchange.Declare(exchange="amq.topic", passive=True))

    def open(self, user: str, password: str, vhost: str) -> None:
        """Shake hands and open a channel."""
        self._connection.sendall(ProtocolHeader().marshal())
        self._receive()
        response = f"\0{user}\0{password}"
        self._write(commands.Connection.StartOk(mechanism="PLAIN", response=response), 0)
        self._receive()
        self._write(commands.Connection.TuneOk(channel_max=10, frame_max=131_072, heartbeat=0), 0)
        self._call(commands.Connection.Open(virtual_host=vhost), 0)
        self._call(commands.Channel.Open())

    def _call(self, method: base.Frame, channel: int = _CHANNEL) -> None:
        self._write(method, channel)
        self._receive()

    def _write(self, method: base.Frame, channel: int) -> None:
        self._connection.sendall(frame.marshal(method, channel))

    def _send(self, kind: int, payload: bytes) -> None:
        header = struct.pack(">BHI", kind, _CHANNEL, len(payload))
        self._connection.sendall(header + payload + _FRAME_END)

    def _receive(self) -> None:
        header = self._exactly(_HEADER_SIZE)
        (size,) = struct.unpack(">I", header[3:])
        self._exactly(size + 1)

    def _exactly(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            chunk = self._connection.recv(count - len(received))
            assert chunk, "the broker closed the connection"
            received += chunk
        return received


@contextmanager
def raw_publisher(url: str) -> Iterator[RawPublisher]:
    """Connect to the broker at ``url``."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 5672), timeout=10) as connection:
        publisher = RawPublisher(connection)
        publisher.open(parts.username or "guest", parts.password or "guest", "/")
        yield publisher


def table(fields: bytes) -> bytes:
    """Return a field table with ``fields``, already encoded."""
    return struct.pack(">I", len(fields)) + fields


def field(name: bytes, value: bytes) -> bytes:
    """Return a field of a table; ``value`` starts with its type."""
    return _short(name) + value


def text(value: bytes) -> bytes:
    """Return a long string as a field's value."""
    return b"S" + struct.pack(">I", len(value)) + value


def _short(octets: bytes) -> bytes:
    return bytes([len(octets)]) + octets


def nested(depth: int) -> bytes:
    """Return a table whose fields are tables, so deep."""
    value = table(b"")
    for _ in range(depth):
        value = table(field(b"n", b"F" + value))
    return value


VOIDS = b"V" * 60_000
HOSTILE: dict[str, tuple[int, bytes]] = {
    "deep headers": (HEADERS, nested(3000)),
    "content type of no UTF-8": (CONTENT_TYPE, b"\x02\xff\xfe"),
    "message id of no UTF-8": (MESSAGE_ID, b"\x03a\xc3\x28"),
    "header name of no UTF-8": (HEADERS, table(field(b"\xff", text(b"x")))),
    "timestamp of 2^63": (TIMESTAMP, struct.pack(">Q", 2**63)),
    "timestamp of 10^15": (TIMESTAMP, struct.pack(">Q", 10**15)),
    "timestamp in a header": (HEADERS, table(field(b"t", b"T" + struct.pack(">Q", 2**63)))),
    "many voids": (HEADERS, table(field(b"a", b"A" + struct.pack(">I", len(VOIDS)) + VOIDS))),
    "large headers": (HEADERS, table(field(b"h", text(b"x" * 130_000)))),
}


@pytest.mark.parametrize("properties", HOSTILE.values(), ids=HOSTILE)
async def test_a_message_that_cannot_be_read_is_one_dead_letter(
    stack: DevStack,
    settings: RouterSettings,
    name: str,
    next_letter: NextLetter,
    broker: Any,
    until: Any,
    properties: tuple[int, bytes],
) -> None:
    """No connection is lost, and its neighbours are handled, each once."""
    handled: list[str | None] = []

    async def handle(delivery: Delivery) -> Outcome:
        handled.append(delivery.message_id)
        return ROUTED

    key = f"{name}.x"
    with capture_logs() as logs:
        async with Consumer(settings.amqp_url, settings.topology, [f"{name}.#"], handle):
            with raw_publisher(stack.rabbitmq.amqp_url) as publisher:
                for message_id in (b"before", b"after"):
                    publisher.publish(
                        settings.exchange,
                        key.encode(),
                        (MESSAGE_ID, bytes([len(message_id)]) + message_id),
                        b"{}",
                    )
                    if message_id == b"before":
                        publisher.publish(settings.exchange, key.encode(), properties, b"the body")
                await asyncio.to_thread(publisher.settle)
            letter = await next_letter(key)

            async def both_handled() -> bool:
                return len(handled) == 2

            await until(both_handled)

    assert len(handled) == 2
    assert {*handled} == {"before", "after"}
    assert letter.body == b"the body"
    assert letter.headers["hatchet-reason"] == "undecodable"
    raw = struct.pack(">H", properties[0]) + properties[1]
    assert letter.headers["hatchet-properties"] == raw[:16_000]
    assert "rabbitmq.connection_lost" not in [entry["event"] for entry in logs]
    assert [entry["event"] for entry in logs].count("event.dead_lettered") == 1
    assert await broker.waiting(settings.queue) == 0


async def test_a_routing_key_that_is_no_utf_8_is_one_dead_letter(
    stack: DevStack, settings: RouterSettings, name: str, next_letter: NextLetter
) -> None:
    """It matches bindings as any other, and no trigger."""

    async def handle(delivery: Delivery) -> Outcome:
        return ROUTED

    async with Consumer(settings.amqp_url, settings.topology, [f"{name}.#"], handle):
        with raw_publisher(stack.rabbitmq.amqp_url) as publisher:
            publisher.publish(settings.exchange, f"{name}.".encode() + b"\xff", (0, b""), b"{}")
            await asyncio.to_thread(publisher.settle)
        letter = await next_letter(f"{name}.\\xff")

    assert letter.headers["hatchet-reason"] == "undecodable"
    assert letter.headers["hatchet-detail"] == "the routing key is not UTF-8"


@pytest.mark.parametrize("properties", HOSTILE.values(), ids=HOSTILE)
def test_the_library_is_still_wrapped(properties: tuple[int, bytes]) -> None:
    """A canary: it turns red when an update of pamqp reads messages by other ways than ours."""
    tolerate_undecodable()
    flags, octets = properties
    data = struct.pack(">BHI", 2, 1, 14 + len(octets)) + struct.pack(">HHQH", 60, 0, 8, flags)

    _, _, header = frame.unmarshal(data + octets + _FRAME_END)

    assert isinstance(header, ContentHeader)
    assert isinstance(header.properties.headers, UnreadableProperties)
    assert header.properties.headers.raw == struct.pack(">H", flags) + octets
    assert header.body_size == 8


def test_properties_as_large_as_may_be_are_read() -> None:
    """The bound is on what is read, not on what is usual."""
    tolerate_undecodable()
    octets = table(field(b"h", text(b"x" * (MAX_PROPERTIES_BYTES - 20))))
    data = struct.pack(">BHI", 2, 1, 14 + len(octets)) + struct.pack(">HHQH", 60, 0, 8, HEADERS)

    _, _, header = frame.unmarshal(data + octets + _FRAME_END)

    assert isinstance(header, ContentHeader)
    assert not isinstance(header.properties.headers, UnreadableProperties)
