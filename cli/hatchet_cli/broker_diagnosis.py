"""What is wrong with RabbitMQ, as far as AMQP tells; nothing there is changed.

What exists is declared as a router would, which tells what differs. What a user may do is tried on
a queue of our own that vanishes, and with a message that RabbitMQ refuses in any case.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection, ExchangeType
from aiormq.exceptions import ChannelAccessRefused, ChannelClosed, ChannelNotFoundEntity

from hatchet_cli.certificates import (
    authorities_finding,
    certificate_file_finding,
    chain_finding,
    server_certificate_finding,
)
from hatchet_cli.definitions import counted
from hatchet_cli.findings import Finding
from hatchet_cli.host_ports import host_and_port
from hatchet_router.addresses import without_credentials
from hatchet_router.amqp import CONNECTION_ERRORS, connected
from hatchet_router.amqp_tls import client_certificate, trusted_authorities
from hatchet_router.errors import BrokerTlsUnusable, BrokerUnreachable
from hatchet_router.settings import RouterSettings
from hatchet_router.topology import Topology

__all__ = ["diagnose_broker"]

_OLDEST: Final = (3, 10)  # quorum queues with at-least-once dead-lettering
_TLS_PORT: Final = 5671
_NO_USER: Final = "hatchet-doctor-is-no-user"

_Check = Callable[[AbstractChannel], Awaitable[Finding]]


async def diagnose_broker(settings: RouterSettings) -> list[Finding]:
    """Return what is found at the RabbitMQ of ``settings``."""
    try:
        async with connected(settings.broker_url, "hatchet-doctor") as connection:
            return await _findings(connection, settings)
    except BrokerTlsUnusable as error:
        return [Finding("RabbitMQ", "problem", str(error)), *_our_certificates(settings)]
    except BrokerUnreachable as error:
        return [
            Finding("RabbitMQ", "problem", str(error), unreachable=True),
            *await _certificate(settings.amqp_url),
            *_our_certificates(settings),
        ]


async def _findings(connection: AbstractConnection, settings: RouterSettings) -> list[Finding]:
    topology = settings.topology
    checks: list[tuple[str, _Check]] = [
        ("router", lambda channel: _consumers(channel, topology.queue)),
        *(
            (f"queue {name}", lambda channel, n=name, a=arguments: _queue(channel, n, a))
            for name, arguments in (
                (topology.queue, topology.queue_arguments),
                (topology.dead_letters, topology.dead_letter_arguments),
            )
        ),
        *(
            (f"exchange {name}", lambda channel, n=name, k=kind: _exchange(channel, n, k))
            for name, kind in (
                (topology.exchange, ExchangeType.TOPIC),
                (topology.dead_letters, ExchangeType.FANOUT),
                *((name, None) for name in topology.more_exchanges),
            )
        ),
        ("dead letters", lambda channel: _dead_letters(channel, topology.dead_letters)),
        ("permissions", lambda channel: _permissions(channel, topology)),
    ]
    found = [
        _version(connection, settings.amqp_url),
        *await _certificate(settings.amqp_url),
        *_our_certificates(settings),
    ]
    for subject, check in checks:
        found.append(await _looked_at(connection, subject, check))
    return found


async def _looked_at(connection: AbstractConnection, subject: str, check: _Check) -> Finding:
    """Return what ``check`` finds on a channel of its own, as RabbitMQ closes it on a refusal."""
    try:
        async with _channel(connection) as channel:
            return await check(channel)
    except ChannelAccessRefused as error:
        return Finding(subject, "problem", _reason(error), "give the user this permission")
    except ChannelNotFoundEntity as error:
        detail = f"cannot be looked at: {_reason(error)}"
        return Finding(subject, "note", detail, "it is declared by: hatchet router")
    except CONNECTION_ERRORS as error:
        return Finding(subject, "note", f"cannot be looked at: {_reason(error)}")


@asynccontextmanager
async def _channel(connection: AbstractConnection) -> AsyncGenerator[AbstractChannel]:
    channel = await connection.channel()
    try:
        yield channel
    finally:
        with suppress(*CONNECTION_ERRORS, RuntimeError):
            await channel.close()


def _version(connection: AbstractConnection, url: str) -> Finding:
    properties = _properties(connection)
    version = str(properties.get("version", "of unknown version"))
    product = str(properties.get("product", "a broker"))
    detail = f"{without_credentials(url)}, {product} {version}"
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if product != "RabbitMQ":
        return Finding("RabbitMQ", "note", f"{detail}: only RabbitMQ is tried")
    if numbers and numbers < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return Finding("RabbitMQ", "problem", f"{detail} loses dead letters", f"needs {oldest}")
    return Finding("RabbitMQ", "ok", detail)


def _properties(connection: AbstractConnection) -> dict[str, Any]:
    transport = connection.transport
    properties = None if transport is None else transport.connection.server_properties
    return {} if properties is None else dict(properties)


async def _certificate(url: str) -> list[Finding]:
    """Return what there is to say of the certificate that RabbitMQ shows, if it does."""
    place = host_and_port(url, _TLS_PORT) if url.startswith("amqps://") else None
    if place is None:
        return []
    return [await server_certificate_finding("RabbitMQ's certificate", *place)]


def _our_certificates(settings: RouterSettings) -> list[Finding]:
    """Return what there is to say of the certificates in files of ours, also while it is away."""
    files = (
        ("RabbitMQ's CA", trusted_authorities(settings.broker_url), authorities_finding),
        ("our certificate for RabbitMQ", client_certificate(settings.broker_url), chain_finding),
    )
    return [
        certificate_file_finding(subject, file, judge)
        for subject, file, judge in files
        if file is not None
    ]


async def _dead_letters(channel: AbstractChannel, name: str) -> Finding:
    try:
        queue = await channel.get_queue(name, ensure=True)
    except ChannelNotFoundEntity:
        return Finding("dead letters", "ok", "none, and no queue for them yet")
    count = queue.declaration_result.message_count or 0
    if not count:
        return Finding("dead letters", "ok", "none")
    return Finding(
        "dead letters",
        "note",
        f"{count:,} {'waits' if count == 1 else 'wait'}",
        "to see why: hatchet dead list; to handle them again: hatchet dead replay",
    )


async def _consumers(channel: AbstractChannel, name: str) -> Finding:
    try:
        queue = await channel.get_queue(name, ensure=True)
    except ChannelNotFoundEntity:
        return Finding(
            "router", "note", f"queue {name!r} does not exist", "it is declared by: hatchet router"
        )
    counts = queue.declaration_result
    waiting = counted(counts.message_count or 0, "waiting event")
    if not counts.consumer_count:
        return Finding(
            "router", "note", f"none consumes from {name!r}, {waiting}", "run: hatchet router"
        )
    return Finding("router", "ok", f"{counts.consumer_count} on queue {name!r}, {waiting}")


async def _queue(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> Finding:
    """Declare a queue that exists as it should be; RabbitMQ says what differs."""
    subject = f"queue {name}"
    try:
        await channel.get_queue(name, ensure=True)
    except ChannelNotFoundEntity:
        return Finding(subject, "note", "does not exist", "it is declared by: hatchet router")
    try:
        await channel.declare_queue(name, durable=True, arguments=arguments)
    except ChannelAccessRefused:
        raise
    except ChannelClosed as error:
        return _differs(subject, error)
    kind = arguments["x-queue-type"]
    return Finding(subject, "ok", f"{kind}, delivery limit {arguments['x-delivery-limit']:,}")


async def _exchange(channel: AbstractChannel, name: str, kind: ExchangeType | None) -> Finding:
    """Declare an exchange that exists as it should be; one of others only has to exist."""
    subject = f"exchange {name}"
    try:
        await channel.get_exchange(name, ensure=True)
    except ChannelNotFoundEntity:
        if kind is None:
            return Finding(subject, "problem", "does not exist", "HATCHET_MORE_EXCHANGES names it")
        return Finding(subject, "note", "does not exist", "it is declared by: hatchet router")
    if kind is None:
        return Finding(subject, "ok", "exists")
    try:
        await channel.declare_exchange(name, kind, durable=True)
    except ChannelAccessRefused:
        raise
    except ChannelClosed as error:
        return _differs(subject, error)
    return Finding(subject, "ok", f"{kind.value}, durable")


def _differs(subject: str, error: ChannelClosed) -> Finding:
    return Finding(
        subject,
        "problem",
        _reason(error),
        "it weakens what is guaranteed, and no router starts: drain and delete it",
    )


async def _permissions(channel: AbstractChannel, topology: Topology) -> Finding:
    """Do on a queue that vanishes what a router does, and have messages refused."""
    key = secrets.token_hex(8)
    queue = await channel.declare_queue(f"{topology.queue}.doctor-{key}", exclusive=True)
    for name in (topology.exchange, *topology.more_exchanges):
        await queue.bind(name, f"hatchet-doctor.{key}")
    await queue.get(fail=False)
    await queue.delete()
    exchange = await channel.get_exchange(topology.exchange, ensure=True)
    try:
        # RabbitMQ looks at permissions first, then at whose message it says it is.
        await exchange.publish(
            Message(b"", user_id=_NO_USER), f"hatchet-doctor.{key}", mandatory=False
        )
    except ChannelAccessRefused as error:
        return Finding(
            "permissions",
            "note",
            f"events cannot be published: {_reason(error)}",
            "a router need not",
        )
    except ChannelClosed:
        return Finding("permissions", "ok", "to configure, write and read what a router uses")
    return Finding(
        "permissions",
        "note",
        "the user may publish in the name of others",
        "take away the tag 'impersonator'",
    )


def _reason(error: BaseException) -> str:
    """Return RabbitMQ's words without its numbers."""
    return " ".join(str(error).split()) or type(error).__name__
